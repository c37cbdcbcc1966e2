//! Signatures, as the Standard Webhooks' own verifier sees them, and secrets that change.

use lyceum_contracts::webhook::WebhookWithSecret;
use lyceum_testing::peer::Received;
use standardwebhooks::Webhook as Verifier;

use super::wire::Wire;
use crate::platform::enrolment;

fn accepted(secret: &str, message: &Received) -> bool {
    let verifier = Verifier::new(secret).unwrap();
    verifier.verify(&message.body, &message.headers).is_ok()
}

#[tokio::test]
async fn the_standards_own_verifier_accepts_a_message_and_no_other() {
    let (wire, webhook) = Wire::well().await;
    wire.happens(&[enrolment(1, "Lógica \u{1f989}")]).await;
    let message = wire.arrive(1).await.remove(0);
    assert!(accepted(&webhook.secret, &message));
    assert!(!accepted(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        &message
    ));
    for altered in ["webhook-id", "webhook-timestamp"] {
        let mut forged = message.clone();
        let value = if altered == "webhook-id" {
            "msg_1"
        } else {
            "1"
        };
        forged.headers.insert(altered, value.parse().unwrap());
        assert!(!accepted(&webhook.secret, &forged), "{altered}");
    }
    let mut forged = message;
    forged.body = bytes::Bytes::from_static(b"{}");
    assert!(!accepted(&webhook.secret, &forged));
}

#[tokio::test]
async fn after_a_rotation_both_secrets_count_until_the_old_one_ends() {
    let (wire, webhook) = Wire::well().await;
    let id = webhook.webhook.id;
    let path = format!("/webhooks/{id}/secret");
    let rotated: WebhookWithSecret = wire.admin.post(&path).await.expect(200).json();
    assert_ne!(rotated.secret, webhook.secret);
    assert!(rotated.webhook.old_secret_until.is_some());
    wire.happens(&[enrolment(1, "Logic")]).await;
    let message = wire.arrive(1).await.remove(0);
    let signatures = message.header("webhook-signature").unwrap();
    assert_eq!(signatures.split(' ').count(), 2, "{signatures}");
    assert!(signatures.split(' ').all(|one| one.starts_with("v1,")));
    assert!(accepted(&webhook.secret, &message));
    assert!(accepted(&rotated.secret, &message));

    // A day later.
    wire.writes("UPDATE webhooks SET old_secret_until = created_at")
        .await;
    wire.happens(&[enrolment(2, "Logic")]).await;
    let message = wire.arrive(2).await.remove(1);
    let signatures = message.header("webhook-signature").unwrap();
    assert_eq!(signatures.split(' ').count(), 1, "{signatures}");
    assert!(!accepted(&webhook.secret, &message));
    assert!(accepted(&rotated.secret, &message));

    // Of three, the last two.
    let newest: WebhookWithSecret = wire.admin.post(&path).await.expect(200).json();
    wire.happens(&[enrolment(3, "Logic")]).await;
    let message = wire.arrive(3).await.remove(2);
    assert!(accepted(&rotated.secret, &message) && accepted(&newest.secret, &message));
    assert!(!accepted(&webhook.secret, &message));
    wire.admin.post("/webhooks/99/secret").await.expect(404);
}
