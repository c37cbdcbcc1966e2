//! What becomes of each item, as far as the items themselves say. Pure.

use std::collections::HashSet;

use lyceum_contracts::bulk::BulkResult;
use lyceum_contracts::problem::{Fault, Problem, ProblemKind};
use lyceum_contracts::role::Role;
use lyceum_contracts::user::User;

use super::requests::{Item, NewMember};

/// Why an item, or a request as a whole, has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    kind: ProblemKind,
    /// With pointers that begin at the body.
    faults: Vec<Fault>,
}

/// An item that may have its effect, or why it has none.
pub(super) type Verdict<T> = Result<T, Refusal>;

impl Refusal {
    /// The item cannot be.
    pub(super) const fn faulty(faults: Vec<Fault>) -> Self {
        Self {
            kind: ProblemKind::ValidationError,
            faults,
        }
    }

    /// An account made in bulk is never an admin's: nobody has shown yet that the address reaches
    /// whom it is meant for, and one wrong line of a long list would give the platform away.
    fn admin(index: usize) -> Self {
        let detail = "accounts are made admins one by one, once they are there";
        Self::of(ProblemKind::Forbidden, index, "role", "forbidden", detail)
    }

    /// An item before this one has the same address.
    fn repeated(index: usize) -> Self {
        let detail = "is the address of an item before this one";
        Self::of(ProblemKind::Conflict, index, "email", "duplicate", detail)
    }

    /// Somebody has the address already.
    pub(super) fn taken(index: usize) -> Self {
        let detail = "the e-mail address has an account";
        Self::of(ProblemKind::Conflict, index, "email", "taken", detail)
    }

    /// One field of one item is in the way.
    pub(super) fn of(
        kind: ProblemKind,
        index: usize,
        field: &str,
        code: &str,
        detail: &str,
    ) -> Self {
        let fault = Fault {
            pointer: format!("#/items/{index}/{field}"),
            detail: detail.to_owned(),
            code: code.to_owned(),
        };
        Self {
            kind,
            faults: vec![fault],
        }
    }

    /// Of all that is wrong with a request whose items stand and fall together: every fault in
    /// the order of the items, under what the caller must mend first.
    pub(super) fn all<'a>(refusals: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self {
            kind: ProblemKind::Conflict,
            faults: Vec::new(),
        };
        for refusal in refusals {
            if weight(refusal.kind) > weight(all.kind) {
                all.kind = refusal.kind;
            }
            all.faults.extend_from_slice(&refusal.faults);
        }
        all
    }

    /// Kind and faults, for an answer that is this alone.
    pub(crate) fn into_parts(self) -> (ProblemKind, Vec<Fault>) {
        (self.kind, self.faults)
    }
}

/// A mistake outweighs a missing right, which outweighs what may be different tomorrow.
const fn weight(kind: ProblemKind) -> u8 {
    match kind {
        ProblemKind::ValidationError => 2,
        ProblemKind::Forbidden => 1,
        _ => 0,
    }
}

/// What the items say of themselves and of one another: of several with one address the first
/// that nothing else is wrong with counts.
pub(super) fn judge(items: Vec<Item<NewMember>>) -> Vec<Verdict<NewMember>> {
    let mut addresses = HashSet::with_capacity(items.len());
    let judged = items.into_iter().enumerate().map(|(index, item)| {
        let member = item.map_err(Refusal::faulty)?;
        if member.role == Role::Admin {
            return Err(Refusal::admin(index));
        }
        if !addresses.insert(member.email.folded().to_owned()) {
            return Err(Refusal::repeated(index));
        }
        Ok(member)
    });
    judged.collect()
}

/// How each item went, with the `success` of those that had their effect.
pub(super) fn results(success: u16, verdicts: Vec<Verdict<User>>) -> Vec<BulkResult> {
    let results = verdicts.into_iter().enumerate();
    let results = results.map(|(index, verdict)| match verdict {
        Ok(user) => BulkResult {
            index,
            status: success,
            user: Some(user),
            problem: None,
        },
        Err(Refusal { kind, faults }) => BulkResult {
            index,
            status: kind.status(),
            user: None,
            problem: Some(Problem {
                errors: faults,
                ..kind.problem()
            }),
        },
    });
    results.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::{Email, FullName};

    /// What an item is like, as far as it matters here.
    #[derive(Debug, Clone)]
    enum Sent {
        Faulty,
        Member {
            address: u8,
            upper: bool,
            role: Role,
        },
    }

    fn sent() -> impl Strategy<Value = Sent> {
        let role = prop_oneof![
            Just(Role::Student),
            Just(Role::Instructor),
            Just(Role::Admin)
        ];
        // Few addresses, so that some are the same.
        let member = (0..12_u8, any::<bool>(), role);
        let member = member.prop_map(|(address, upper, role)| Sent::Member {
            address,
            upper,
            role,
        });
        prop_oneof![1 => Just(Sent::Faulty), 5 => member]
    }

    fn item((index, sent): (usize, &Sent)) -> Item<NewMember> {
        match sent {
            Sent::Faulty => Err(vec![Fault {
                pointer: format!("#/items/{index}/full_name"),
                detail: String::new(),
                code: "empty".to_owned(),
            }]),
            Sent::Member {
                address,
                upper,
                role,
            } => {
                let email = format!("person-{address}@example.org");
                let email = if *upper { email.to_uppercase() } else { email };
                Ok(NewMember {
                    email: Email::parse(&email).unwrap(),
                    full_name: FullName::parse(format!("Person {index}")).unwrap(),
                    role: *role,
                    password: None,
                })
            }
        }
    }

    proptest! {
        #[test]
        fn every_item_has_its_verdict_at_its_place(sent in prop::collection::vec(sent(), 1..60)) {
            let verdicts = judge(sent.iter().enumerate().map(item).collect());
            prop_assert_eq!(verdicts.len(), sent.len());
            let mut seen = HashSet::new();
            for (index, (sent, verdict)) in sent.iter().zip(&verdicts).enumerate() {
                let expected = match sent {
                    Sent::Faulty => Err((ProblemKind::ValidationError, "full_name")),
                    Sent::Member { role: Role::Admin, .. } => Err((ProblemKind::Forbidden, "role")),
                    Sent::Member { address, .. } if !seen.insert(*address) => {
                        Err((ProblemKind::Conflict, "email"))
                    }
                    Sent::Member { .. } => Ok(()),
                };
                match (expected, verdict) {
                    (Ok(()), Ok(member)) => {
                        let name = format!("Person {index}");
                        prop_assert_eq!(member.full_name.as_str(), name.as_str());
                    }
                    (Err((kind, field)), Err(refusal)) => {
                        prop_assert_eq!(refusal.kind, kind);
                        let pointers: Vec<_> = refusal.faults.iter().map(|fault| &fault.pointer).collect();
                        prop_assert_eq!(pointers, [&format!("#/items/{index}/{field}")]);
                    }
                    _ => prop_assert!(false, "item {} is {:?}", index, verdict),
                }
            }
        }

        #[test]
        fn refused_as_a_whole_a_request_names_the_faults_of_all_in_order(
            sent in prop::collection::vec(sent(), 1..60),
        ) {
            let verdicts = judge(sent.iter().enumerate().map(item).collect());
            let refusals: Vec<_> = verdicts.iter().filter_map(|verdict| verdict.as_ref().err()).collect();
            let (kind, faults) = Refusal::all(refusals.iter().copied()).into_parts();
            let each: Vec<_> = refusals.iter().flat_map(|refusal| refusal.faults.clone()).collect();
            prop_assert_eq!(&faults, &each);
            let places: Vec<usize> = faults.iter().map(|fault| {
                fault.pointer.split('/').nth(2).unwrap().parse().unwrap()
            }).collect();
            prop_assert!(places.is_sorted());
            let kinds: Vec<_> = refusals.iter().map(|refusal| refusal.kind).collect();
            let heaviest = [ProblemKind::ValidationError, ProblemKind::Forbidden, ProblemKind::Conflict];
            let heaviest = heaviest.into_iter().find(|kind| kinds.contains(kind));
            prop_assert_eq!(kind, heaviest.unwrap_or(ProblemKind::Conflict));
        }
    }
}
