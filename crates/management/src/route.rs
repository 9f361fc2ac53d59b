//! Every path of the management listener, at a glance. Reads no body.

use hyper::Method;
use lead::{BuyerId, CampaignKey, LeadId, PublisherId};

/// Where a request goes. An id that is none of ours is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `GET /v1/leads/{id}`.
    Lead(Option<LeadId>),
    /// `GET /v1/leads/{id}/decisions`.
    Decisions(Option<LeadId>),
    /// `GET /v1/review`.
    Reviews,
    /// `POST /v1/review/{lead}/{campaign}`.
    Review(Option<LeadId>, String),
    /// `POST /v1/explain`.
    Explain,
    /// `GET /v1/buyers/{b}/campaigns`.
    Campaigns(Option<BuyerId>),
    /// `PUT`, `GET`, `DELETE /v1/buyers/{b}/campaigns/{c}`.
    Campaign(Verb, Option<CampaignKey>),
    /// `POST /v1/buyers/{b}/campaigns/{c}/approve`.
    Approve(Option<CampaignKey>),
    /// `GET /v1/pending`.
    Pending,
    /// `GET /v1/publishers/{p}/spec`.
    Spec(Option<PublisherId>),
    /// A known path under another method, and what is allowed.
    WrongMethod(&'static str),
    /// Nothing stands there.
    Unknown,
}

/// What is asked of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Show it.
    Get,
    /// Make it so.
    Put,
    /// Take it away.
    Delete,
}

/// Finds the route of a request.
pub(crate) fn route(method: &Method, path: &str) -> Route {
    let under = |allowed: Method, word: &'static str, place: Route| {
        if *method == allowed { place } else { Route::WrongMethod(word) }
    };
    let get = |place| under(Method::GET, "GET", place);
    let post = |place| under(Method::POST, "POST", place);
    let parts: Vec<&str> = path.strip_prefix('/').unwrap_or_default().split('/').collect();
    match parts.as_slice() {
        ["v1", "leads", id] => get(Route::Lead(id.parse().ok())),
        ["v1", "leads", id, "decisions"] => get(Route::Decisions(id.parse().ok())),
        ["v1", "review"] => get(Route::Reviews),
        ["v1", "review", lead, campaign @ ..] if matches!(campaign.len(), 1 | 2) => {
            post(Route::Review(lead.parse().ok(), campaign.join("/")))
        }
        ["v1", "explain"] => post(Route::Explain),
        ["v1", "pending"] => get(Route::Pending),
        ["v1", "publishers", publisher, "spec"] => get(Route::Spec(publisher.parse().ok())),
        ["v1", "buyers", buyer, "campaigns"] => get(Route::Campaigns(buyer.parse().ok())),
        ["v1", "buyers", buyer, "campaigns", campaign] => match verb(method) {
            Some(verb) => Route::Campaign(verb, key(buyer, campaign)),
            None => Route::WrongMethod("GET, PUT, DELETE"),
        },
        ["v1", "buyers", buyer, "campaigns", campaign, "approve"] => {
            post(Route::Approve(key(buyer, campaign)))
        }
        _ => Route::Unknown,
    }
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::GET => Some(Verb::Get),
        Method::PUT => Some(Verb::Put),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

fn key(buyer: &str, campaign: &str) -> Option<CampaignKey> {
    Some(CampaignKey { buyer: buyer.parse().ok()?, campaign: campaign.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_say() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let lead: Option<LeadId> = id.parse().ok();
        let campaign = |verb| Route::Campaign(verb, key("nova", "main"));
        let main = "/v1/buyers/nova/campaigns/main";
        let review = |campaign: &str| Route::Review(lead, campaign.to_owned());
        for (method, path, expected) in [
            ("GET", format!("/v1/leads/{id}"), Route::Lead(lead)),
            ("GET", "/v1/leads/x".to_owned(), Route::Lead(None)),
            ("GET", format!("/v1/leads/{id}/decisions"), Route::Decisions(lead)),
            ("POST", format!("/v1/leads/{id}"), Route::WrongMethod("GET")),
            ("GET", format!("/v1/leads/{id}/other"), Route::Unknown),
            ("GET", "/v1/leads".to_owned(), Route::Unknown),
            ("GET", "/v1/review".to_owned(), Route::Reviews),
            ("POST", "/v1/review".to_owned(), Route::WrongMethod("GET")),
            ("POST", format!("/v1/review/{id}/main"), review("main")),
            ("POST", format!("/v1/review/{id}/nova/main"), review("nova/main")),
            ("POST", format!("/v1/review/{id}/nova%2Fmain"), review("nova%2Fmain")),
            ("POST", format!("/v1/review/{id}/a/b/c"), Route::Unknown),
            ("POST", format!("/v1/review/{id}"), Route::Unknown),
            ("GET", format!("/v1/review/{id}/main"), Route::WrongMethod("POST")),
            ("POST", "/v1/explain".to_owned(), Route::Explain),
            ("PUT", "/v1/explain".to_owned(), Route::WrongMethod("POST")),
            ("GET", main.to_owned(), campaign(Verb::Get)),
            ("PUT", main.to_owned(), campaign(Verb::Put)),
            ("DELETE", main.to_owned(), campaign(Verb::Delete)),
            ("POST", main.to_owned(), Route::WrongMethod("GET, PUT, DELETE")),
            ("PUT", "/v1/buyers/nova/campaigns/No".to_owned(), Route::Campaign(Verb::Put, None)),
            ("GET", "/v1/buyers/nova/campaigns".to_owned(), Route::Campaigns("nova".parse().ok())),
            ("POST", "/v1/buyers/nova/campaigns".to_owned(), Route::WrongMethod("GET")),
            ("POST", format!("{main}/approve"), Route::Approve(key("nova", "main"))),
            ("GET", format!("{main}/approve"), Route::WrongMethod("POST")),
            ("GET", "/v1/pending".to_owned(), Route::Pending),
            ("GET", "/v1/publishers/demo/spec".to_owned(), Route::Spec("demo".parse().ok())),
            ("PUT", "/v1/publishers/demo/spec".to_owned(), Route::WrongMethod("GET")),
            ("GET", "/".to_owned(), Route::Unknown),
            ("GET", "v1/review".to_owned(), Route::Unknown),
            ("GET", "/v1/review/".to_owned(), Route::Unknown),
        ] {
            let found = route(&method.parse().unwrap(), &path);
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}
