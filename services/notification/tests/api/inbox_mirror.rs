//! A client that applies what streams tell, in order, has what the inbox has: whatever was done,
//! by whomever, and however often it was cut off meanwhile.

use std::collections::BTreeMap;

use fastrand::Rng;
use lyceum_contracts::notification::{Notification, NotificationChange, UnreadCount};
use lyceum_testing::PATIENCE;
use lyceum_testing::http::SseStream;
use serde_json::Value;

use crate::platform::{Person, Platform, announcement, data, enrolment};

/// What a client of one person knows.
#[derive(Default)]
struct Mirror {
    /// The last place told.
    last: i64,
    /// By id: place and state.
    known: BTreeMap<i64, (i64, State)>,
    /// What waits to be read, with all that is told up to `counted_to` in it.
    count: u64,
    counted_to: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Read,
    Away,
}

impl State {
    fn of(notification: &Notification) -> Self {
        match (notification.archived_at, notification.read_at) {
            (Some(_), _) => Self::Away,
            (None, Some(_)) => Self::Read,
            (None, None) => Self::Waiting,
        }
    }
}

impl Mirror {
    /// What the first event of a stream says of the whole; its newest place.
    fn opens(&mut self, opening: &Value) -> i64 {
        assert_eq!(opening["recovered"], true, "{opening}");
        let head = opening["head_seq"].as_i64().unwrap();
        self.count = opening["unread"].as_u64().unwrap();
        self.counted_to = head;
        head
    }

    fn apply(&mut self, is_change: bool, told: Value) {
        self.last += 1;
        assert_eq!(told["seq"], self.last, "no gap and no repeat: {told}");
        if is_change {
            self.changed(serde_json::from_value(told).unwrap());
        } else {
            let told: Notification = serde_json::from_value(told).unwrap();
            let known = (told.seq, State::of(&told));
            self.known.insert(told.id.get(), known);
            self.count += u64::from(told.seq > self.counted_to);
        }
    }

    fn changed(&mut self, change: NotificationChange) {
        use NotificationChange::{Archived, Deleted, Gone, Read, ReadAll, Unarchived, Unread};
        let count = match change {
            Read { id, count, .. } | Unarchived { id, count, .. } => {
                self.set(id.get(), State::Read);
                Some(count)
            }
            Unread { id, count, .. } => {
                self.set(id.get(), State::Waiting);
                Some(count)
            }
            Archived { id, count, .. } => {
                self.set(id.get(), State::Away);
                Some(count)
            }
            Deleted { id, count, .. } => {
                self.known.remove(&id.get());
                Some(count)
            }
            ReadAll { up_to, count, .. } => {
                for (seq, state) in self.known.values_mut() {
                    if *seq <= up_to && *state == State::Waiting {
                        *state = State::Read;
                    }
                }
                Some(count)
            }
            Gone { id, .. } => {
                self.known.remove(&id.get());
                None
            }
        };
        if let Some(UnreadCount { unread, .. }) = count
            && change.seq() > self.counted_to
        {
            self.count = unread;
        }
    }

    fn set(&mut self, id: i64, state: State) {
        if let Some((_, known)) = self.known.get_mut(&id) {
            *known = state;
        }
    }

    /// Listens on one of the transports to some of what it has not been told, and hangs up.
    async fn catch_up(&mut self, person: &Person, random: &mut Rng) {
        let last = self.last;
        if random.bool() {
            let (mut stream, sync) = person.listens(Some(&last.to_string())).await;
            let head = self.opens(&sync);
            let stop = random.i64(last..=head);
            self.listen(&mut stream, stop).await;
        } else {
            let (mut socket, welcome) = person.tunes_in(Some(last)).await;
            let head = self.opens(&welcome);
            let stop = random.i64(last..=head);
            while self.last < stop {
                let mut told = socket.hears().await;
                let kind = told.as_object_mut().unwrap().remove("type");
                self.apply(kind == Some("change".into()), told);
            }
        }
    }

    async fn listen(&mut self, stream: &mut SseStream, stop: i64) {
        while self.last < stop {
            let message = stream.next_event(PATIENCE).await;
            let is_change = message.event.as_deref() == Some("change");
            self.apply(is_change, data(&message));
        }
    }
}

/// What the inbox has.
async fn truth(person: &Person) -> BTreeMap<i64, (i64, State)> {
    let mut all = person.inbox().await;
    all.extend(person.page("?archived=true").await.items);
    let known = all.iter().map(|it| (it.id.get(), (it.seq, State::of(it))));
    known.collect()
}

async fn something_happens(platform: &Platform, person: &Person, random: &mut Rng) {
    let known: Vec<i64> = truth(person).await.into_keys().collect();
    let one = random.choice(&known).map(|id| (*id).try_into().unwrap());
    match (random.u8(..12), one) {
        (0..3, _) | (_, None) => {
            platform.happens(&[enrolment(person.id, "Logic")]).await;
        }
        (3..6, _) => {
            let id = random.i64(1..=2);
            platform
                .happens(&[announcement(id, person.id, "News")])
                .await;
        }
        (6, _) => {
            let place = random.i64(0..=head(person).await);
            person.reads_up_to(place).await.expect(204);
        }
        (7, Some(id)) => drop(person.deletes(id).await.expect(204)),
        (which, Some(id)) => {
            let action = ["read", "unread", "archive", "unarchive"][usize::from(which - 8)];
            person.does(action, id).await.expect(200);
        }
    }
}

async fn head(person: &Person) -> i64 {
    person.listens(None).await.1["head_seq"].as_i64().unwrap()
}

#[tokio::test]
async fn whoever_is_cut_off_anywhere_ends_with_what_the_inbox_has() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let mut random = Rng::with_seed(0x00ca_11ed);
    let mut mirrors: [Mirror; 3] = Default::default();
    for _ in 0..40 {
        for _ in 0..random.u8(1..6) {
            something_happens(&platform, &ada, &mut random).await;
        }
        let mirror = random.usize(..mirrors.len());
        mirrors[mirror].catch_up(&ada, &mut random).await;
    }
    let (head, truth) = (head(&ada).await, truth(&ada).await);
    assert!(truth.len() > 5 && head > 60, "{} of {head}", truth.len());
    for mirror in &mut mirrors {
        while mirror.last < head {
            mirror.catch_up(&ada, &mut random).await;
        }
        assert_eq!(mirror.known, truth);
        assert_eq!(mirror.count, ada.unread().await);
    }
}

#[tokio::test]
async fn whoever_goes_on_listening_has_what_the_inbox_has_at_every_moment() {
    let platform = Platform::start();
    let ada = platform.person(1);
    let mut random = Rng::with_seed(0x0011_57e4);
    for _ in 0..20 {
        something_happens(&platform, &ada, &mut random).await;
    }
    let mut mirror = Mirror::default();
    let (mut stream, sync) = ada.listens(Some("0")).await;
    let begun = mirror.opens(&sync);
    for _ in 0..60 {
        something_happens(&platform, &ada, &mut random).await;
        mirror.listen(&mut stream, head(&ada).await).await;
        assert_eq!(mirror.known, truth(&ada).await);
        assert_eq!(mirror.count, ada.unread().await);
    }
    assert!(mirror.last > begun + 30);
}
