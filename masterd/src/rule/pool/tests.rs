use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::rule::sample;

fn ip(text: &str) -> Ipv4Addr {
    text.parse().expect("an address")
}

#[test]
fn a_new_pool_keeps_its_ends() {
    let pool = Pool::new("192.0.2.77/30").expect("a network");
    assert_eq!(pool.network(), "192.0.2.76/30", "bits of a host do not count");
    assert_eq!(pool.is_reserved(ip("192.0.2.76")), Ok(true));
    assert_eq!(pool.is_reserved(ip("192.0.2.79")), Ok(true));
    assert_eq!(pool.first_free(), Some(ip("192.0.2.77")));
    assert!(
        pool.contains_text("192.0.2.78") && !pool.contains_text("192.0.2.80") && !pool.contains_text("::1") && !pool.contains_text("x")
    );
    for wrong in ["192.0.2.0/31", "10.0.0.0/8", "192.0.2.0", "192.0.2/24", "fe80::/24", "1.2.3.4/-1"] {
        assert_eq!(Pool::new(wrong), Err(Error::Network(wrong.to_owned())));
    }
}

#[test]
fn reservations_are_of_two_kinds() {
    let mut pool = Pool::new("192.0.2.0/29").expect("a network");
    pool.reserve(ip("192.0.2.1"), Kind::External).expect("free");
    assert_eq!(pool.reserve(ip("192.0.2.1"), Kind::Nic), Err(Error::Reserved(ip("192.0.2.1"))));
    assert_eq!(pool.first_free(), Some(ip("192.0.2.2")));
    pool.reserve(ip("192.0.2.2"), Kind::Nic).expect("free");
    assert_eq!(pool.release(ip("192.0.2.2"), Kind::External), Err(Error::Free(ip("192.0.2.2"))), "that is a NIC's");
    assert!(matches!(pool.reserve(ip("192.0.2.8"), Kind::Nic), Err(Error::Outside { .. })));
    let mut network = sample::network("net1", "192.0.2.0/29");
    pool.write(&mut network);
    assert_eq!((network.reservations.as_deref(), network.ext_reservations.as_deref()), (Some("00100000"), Some("11000001")));
    assert_eq!(Pool::of(&network), Ok(pool));
    network.reservations = Some("01".to_owned());
    assert!(Pool::of(&network).is_err(), "a map of another size is not guessed at");
}

proptest! {
    /// Reserving and releasing keeps to a set of addresses, and the text form loses nothing.
    #[test]
    fn a_pool_is_a_set(steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0..20_u8), 0..60)) {
        let mut pool = Pool::new("198.51.100.0/28").expect("a network");
        let mut sets = [BTreeSet::new(), BTreeSet::from([0, 15])];
        for (reserve, external, last) in steps {
            let address = Ipv4Addr::new(198, 51, 100, last);
            let kind = if external { Kind::External } else { Kind::Nic };
            let own = usize::from(external);
            let expected = if last > 15 {
                false
            } else if reserve {
                !sets[0].contains(&last) && !sets[1].contains(&last) && sets[own].insert(last)
            } else {
                sets[own].remove(&last)
            };
            let done = if reserve { pool.reserve(address, kind) } else { pool.release(address, kind) };
            prop_assert_eq!(done.is_ok(), expected);
        }
        let free = (0..16).find(|last| !sets[0].contains(last) && !sets[1].contains(last));
        prop_assert_eq!(pool.first_free(), free.map(|last| Ipv4Addr::new(198, 51, 100, last)));
        let mut network = sample::network("net1", "198.51.100.0/28");
        pool.write(&mut network);
        prop_assert_eq!(Pool::of(&network), Ok(pool));
    }
}
