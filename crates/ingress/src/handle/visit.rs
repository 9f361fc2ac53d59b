//! What is asked at the BrainySoft door besides a sale: logins, and a publisher's own leads.

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use jiff::Timestamp;
use lead::{Answer, Sequence};
use market::{Market, Publisher};
use serde_json::Value;

use crate::doors::brainysoft::{self, Checked, Path};
use crate::reply::{Fault, Reply};
use crate::{Distribute, Limits, Stored, body};

/// One who asks, and when.
struct Visit<'a, D> {
    desk: &'a D,
    limits: &'a Limits,
    publisher: &'a Publisher,
    checked: &'a Checked,
    at: Timestamp,
}

/// Answers everything but a create.
pub(super) async fn visit<D: Distribute>(
    desk: &D,
    (limits, checked): (&Limits, &Checked),
    (path, request): (Path, Request<Incoming>),
    at: Timestamp,
) -> Reply {
    let told = match path {
        Path::Login => log_in(desk, limits, request, at).await,
        Path::WrongMethod(allow) => Err(Fault::Method(allow)),
        Path::Create | Path::Unknown => Err(Fault::NoRoute),
        asked => {
            let market = desk.market();
            match publisher(desk, &market, request.headers(), at) {
                Ok(publisher) => {
                    let visit = Visit { desk, limits, publisher, checked, at };
                    visit.ask(asked, request.uri().query()).await
                }
                Err(fault) => Err(fault),
            }
        }
    };
    told.unwrap_or_else(|fault| brainysoft::fault(&fault, at))
}

/// Whose key or token it is.
pub(super) fn publisher<'m, D: Distribute>(
    desk: &D,
    market: &'m Market,
    headers: &HeaderMap,
    at: Timestamp,
) -> Result<&'m Publisher, Fault> {
    brainysoft::authenticate(desk, market, headers, at).ok_or(Fault::Unauthorized)
}

async fn log_in<D: Distribute>(
    desk: &D,
    limits: &Limits,
    request: Request<Incoming>,
    at: Timestamp,
) -> Result<Reply, Fault> {
    let (head, incoming) = request.into_parts();
    let mut bytes = body::read(incoming, limits).await?;
    let root = document::parse_json(&mut bytes).map_err(Fault::Unparsable)?;
    let login = brainysoft::login(&head.headers, &root)?;
    let token = brainysoft::token(desk, &login, at).ok_or(Fault::Unauthorized)?;
    let mut reply = brainysoft::ok(Value::Null, at);
    reply.add("bsauth", token);
    Ok(reply)
}

impl<D: Distribute> Visit<'_, D> {
    async fn ask(&self, asked: Path, query: Option<&str>) -> Result<Reply, Fault> {
        let data = match asked {
            Path::Find(id) => self.record(&self.find(id).await?),
            Path::Statuses(id) => {
                let answer = self.find(id).await?.answer;
                brainysoft::statuses(&answer, self.was_checked(&answer))
            }
            Path::Check(id) => {
                let stored = self.find(id).await?;
                let lead = stored.answer.lead.ok_or(Fault::NoLead)?;
                let first = || self.checked.note(lead.0);
                if let Some(reply) = brainysoft::unready(&stored, self.at, first) {
                    return Ok(reply);
                }
                lead.1.0.into()
            }
            Path::Many(ids) => {
                let ids = ids.ok_or(Fault::Request(brainysoft::MANY))?;
                let in_order = query.is_some_and(|query| {
                    query.split('&').any(|pair| pair.eq_ignore_ascii_case("preserveOrder=true"))
                });
                self.many(ids, in_order).await?
            }
            _ => return Err(Fault::NoRoute),
        };
        Ok(brainysoft::ok(data, self.at))
    }

    /// Leads that the publisher does not have are left out.
    async fn many(&self, ids: Vec<Sequence>, in_order: bool) -> Result<Value, Fault> {
        let mut leads = Vec::with_capacity(ids.len());
        for id in ids {
            match self.find(Some(id)).await {
                Ok(stored) => leads.push((id.0, self.record(&stored))),
                Err(Fault::NoLead) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(brainysoft::of_list(leads, in_order))
    }

    async fn find(&self, id: Option<Sequence>) -> Result<Stored, Fault> {
        let id = id.ok_or(Fault::NoLead)?;
        let found = self.desk.find_numbered(&self.publisher.id, id).await;
        let retry_after = self.limits.retry_after;
        found.map_err(|why| Fault::Unavailable(why, retry_after))?.ok_or(Fault::NoLead)
    }

    fn record(&self, stored: &Stored) -> Value {
        let checked = self.was_checked(&stored.answer);
        brainysoft::record(stored, self.client(stored), checked)
    }

    fn was_checked(&self, answer: &Answer) -> bool {
        answer.lead.is_some_and(|(id, _)| self.checked.has(id))
    }

    /// The consumer's number: the same for the same names and passport, else the lead's own. It follows
    /// from what it stands for, so nothing has to be kept; small enough for every reader of JSON.
    fn client(&self, stored: &Stored) -> Option<u64> {
        let submission = stored.submission.as_ref()?;
        let by_manager = self.publisher.brainysoft.clients_by_manager;
        let digest = match brainysoft::client_parts(submission, by_manager) {
            Some(parts) => {
                let parts = parts.each_ref().map(String::as_bytes);
                self.desk.digest("brainysoft client", &parts)
            }
            None => {
                let lead = stored.answer.lead?.0.to_string();
                self.desk.digest("brainysoft client of one lead", &[lead.as_bytes()])
            }
        };
        let high = u64::from_be_bytes(*digest.first_chunk()?);
        Some((high >> 11).max(1))
    }
}
