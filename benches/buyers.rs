//! Simulated buyers for measuring: each bids the same for every ping and takes every post, as cheaply as
//! possible. A thread a connection, blocking: its timers are exact to some 50 µs, where the runtime's count
//! whole milliseconds. `gavel sim buyers` plays buyers for tests; these only keep out of the way.
//!
//! `buyers MANNER…` starts one buyer for each manner and prints their addresses, a line each. A manner is how
//! many milliseconds its pings take, or `hang/N`: one ping in N is never answered, the others at once.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "stops when it cannot go on")]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use benches::http::Connection;

const BID: &str = r#"{"status":"bid","price":"12.50","ping_id":"0123456789abcdef"}"#;
const ACCEPT: &str = r#"{"status":"accepted","reference":"0123456789abcdef","redirect_url":"https://buyer.example/apply?ref=0123456789abcdef"}"#;

/// What a buyer does with a ping.
#[derive(Clone, Copy)]
enum Manner {
    AnswersAfter(Duration),
    HangsOncePer(u64),
}

fn main() {
    let manners = std::env::args().skip(1).map(|text| match text.strip_prefix("hang/") {
        Some(pings) => Manner::HangsOncePer(pings.parse().unwrap()),
        None => Manner::AnswersAfter(Duration::from_millis(text.parse().unwrap())),
    });
    let accepting: Vec<_> = manners.map(start).collect();
    for thread in accepting {
        thread.join().unwrap();
    }
}

fn start(manner: Manner) -> thread::JoinHandle<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    println!("{}", listener.local_addr().unwrap());
    let pings = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = Connection::new(stream.unwrap()).unwrap();
            // There may be a thousand of them.
            let small = thread::Builder::new().stack_size(64 * 1024);
            // A peer that breaks off has had its answer or wants none.
            let pings = Arc::clone(&pings);
            small.spawn(move || drop(answer(connection, manner, &pings))).unwrap();
        }
    })
}

/// `pings` counts those of all the buyer's connections.
fn answer(mut connection: Connection, manner: Manner, pings: &AtomicU64) -> std::io::Result<()> {
    let reply = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let (bid, accept) = (reply(BID), reply(ACCEPT));
    while let Some(request) = connection.receive()? {
        if !request.starts_with(b"POST /ping") {
            connection.send(accept.as_bytes())?;
            continue;
        }
        match manner {
            Manner::HangsOncePer(count) => {
                if pings.fetch_add(1, Ordering::Relaxed).is_multiple_of(count) {
                    continue;
                }
            }
            Manner::AnswersAfter(delay) if delay.is_zero() => {}
            Manner::AnswersAfter(delay) => thread::sleep(delay),
        }
        connection.send(bid.as_bytes())?;
    }
    Ok(())
}
