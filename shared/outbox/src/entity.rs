//! The two tables: events on their way, and events nobody wants.

pub(crate) mod waiting {
    //! Table `outbox`: an event that is true and not yet told.

    use sea_orm::entity::prelude::*;
    use time::OffsetDateTime;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub(crate) struct Model {
        /// Its place in the order.
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        /// UUID version 7, as text: what the receiver knows it by.
        pub(crate) event_id: String,
        /// The event's name, for people who look into the table.
        pub(crate) kind: String,
        /// The event, as it will be sent.
        pub(crate) payload: Json,
        /// The trace context it was written in.
        pub(crate) traceparent: Option<String>,
        /// When it became true.
        pub(crate) occurred_at: OffsetDateTime,
        /// Not to be delivered before: now when written, the end of the lease when claimed.
        pub(crate) available_at: OffsetDateTime,
        /// How often it has been claimed.
        pub(crate) attempts: i64,
        /// Who is told; an event for several has a row for each.
        pub(crate) destination: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod dead {
    //! Table `outbox_dead`: an event the peer refused for what it says. Kept for people.

    use sea_orm::entity::prelude::*;
    use time::OffsetDateTime;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox_dead")]
    pub(crate) struct Model {
        /// The place it had in the order.
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: i64,
        pub(crate) event_id: String,
        pub(crate) kind: String,
        pub(crate) payload: Json,
        pub(crate) traceparent: Option<String>,
        pub(crate) occurred_at: OffsetDateTime,
        pub(crate) attempts: i64,
        /// Why, in our words; never the peer's text.
        pub(crate) reason: String,
        pub(crate) died_at: OffsetDateTime,
        /// Who refused it.
        pub(crate) destination: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
