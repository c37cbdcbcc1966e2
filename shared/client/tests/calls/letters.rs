//! Tokens for letters, as the sender of the mail asks for them.

use lyceum_client::{UpstreamSettings, UserClient};
use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::ids::LinkId;
use lyceum_contracts::problem::{MEDIA_TYPE, ProblemKind};
use serde_json::json;

use crate::identity;
use crate::peer::{Act, Peer};

fn client(peer: &Peer) -> UserClient {
    let settings = UpstreamSettings {
        base_url: peer.base_url(),
        ..UpstreamSettings::default()
    };
    UserClient::new(&settings, &identity("notification")).unwrap()
}

fn link() -> LinkId {
    LinkId::try_from(7).unwrap()
}

fn refusal(kind: ProblemKind) -> Act {
    let problem = serde_json::to_value(kind.problem()).unwrap();
    Act::json(kind.status(), &problem).with("content-type", MEDIA_TYPE)
}

#[tokio::test]
async fn a_letter_is_asked_for_again_when_the_answer_is_lost() {
    let letter = json!({
        "to": "ada@example.org", "full_name": "Ada", "purpose": "reset_password",
        "token": "secret", "expires_at": "2026-01-02T03:04:05Z",
    });
    let peer = Peer::new([Act::Close, Act::json(200, &letter)]);
    let letter = client(&peer).mailed_link_token(link()).await.unwrap();
    let letter = letter.unwrap();
    assert_eq!(letter.purpose, LinkPurpose::ResetPassword);
    assert_eq!(letter.token, "secret");
    assert_eq!(format!("{letter:?}"), "MailedLinkToken { .. }");
    let asked = "POST /internal/mailed-links/7/token HTTP/1.1";
    let lines: Vec<_> = peer.requests().into_iter().map(|one| one.line).collect();
    assert_eq!(lines, [asked, asked]);
}

#[tokio::test]
async fn a_link_that_needs_no_letter_is_none_and_any_other_refusal_an_error() {
    for kind in [ProblemKind::NotFound, ProblemKind::LinkSpent] {
        let peer = Peer::new([refusal(kind)]);
        let letter = client(&peer).mailed_link_token(link()).await;
        assert!(matches!(letter, Ok(None)), "{letter:?}");
    }
    let peer = Peer::new([refusal(ProblemKind::Forbidden)]);
    let refused = client(&peer).mailed_link_token(link()).await.unwrap_err();
    assert_eq!(refused.refused_with(), Some(403));
}
