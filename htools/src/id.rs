//! Positions of objects: indices into the columns of a [`Cluster`](crate::Cluster), in the order of the input.
//!
//! Every loop and every tie of the tools follows these positions, so they never change after loading.

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            /// The index of position `at`.
            ///
            /// # Panics
            /// Beyond four thousand million objects, which no memory holds.
            #[must_use]
            pub fn new(at: usize) -> Self {
                Self(u32::try_from(at).expect("fewer than 2^32 objects: each takes more than a byte of a 32 bit count"))
            }

            /// The position, for indexing.
            #[must_use]
            pub fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index! {
    /// A node group.
    GroupId
}
index! {
    /// A node.
    NodeId
}
index! {
    /// An instance.
    InstanceId
}
