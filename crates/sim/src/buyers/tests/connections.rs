//! When the buyers close connections.

use tokio::net::TcpStream;

use super::*;

/// Reads until the other end closes.
async fn to_the_end(stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut part) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answers() {
    let options = Options { idle_close: Duration::from_millis(60), ..Options::default() };
    let buyers = start(&["nova"], options).await;
    let stream = TcpStream::connect(buyers.addr()).await.unwrap();
    let body = ping("p").to_string();
    let call = format!(
        "POST /nova/ping HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.writable().await.unwrap();
    stream.try_write(call.repeat(2).as_bytes()).unwrap();
    let began = Instant::now();
    let read = timeout(LONG, to_the_end(&stream)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(50), "{:?}", began.elapsed());
    assert_eq!(String::from_utf8(read).unwrap().matches("HTTP/1.1 200 OK").count(), 2);
}

#[tokio::test]
async fn a_stopped_or_dropped_handle_frees_the_port() {
    let buyers = start(&["nova"], Options::default()).await;
    let addr = buyers.addr();
    assert_eq!(buyers.ping_url("nova"), format!("http://{addr}/nova/ping"));
    let stream = TcpStream::connect(addr).await.unwrap();
    json_of(&buyers, "/nova/ping", ping("p")).await;
    buyers.stop().await;
    assert!(to_the_end(&stream).await.is_empty());
    assert!(TcpStream::connect(addr).await.is_err());

    let dropped = start(&["nova"], Options::default()).await;
    let addr = dropped.addr();
    drop(dropped);
    let closed = async { while TcpStream::connect(addr).await.is_ok() {} };
    timeout(LONG, closed).await.unwrap();
}
