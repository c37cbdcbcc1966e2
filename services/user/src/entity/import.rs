//! The tables of imports: an upload, its lines until they are dealt with, and what is wrong with
//! lines.

/// Table `imports`: one row per upload.
pub(crate) mod upload {
    use lyceum_contracts::ids::JobId;
    use sea_orm::entity::prelude::*;
    use time::OffsetDateTime;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "imports")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        /// Null while the body is being received, and for ever when it did not end well.
        pub(crate) job_id: Option<JobId>,
        /// When lines were last added.
        pub(crate) touched_at: OffsetDateTime,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `import_chunks`: up to 500 lines that are still to be dealt with.
pub(crate) mod chunk {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "import_chunks")]
    pub(crate) struct Model {
        /// Its place in the order.
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) import_id: i64,
        pub(crate) lines: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    /// Personal data stays out of whatever prints this.
    impl std::fmt::Debug for Model {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Model")
                .field("id", &self.id)
                .field("import_id", &self.import_id)
                .finish_non_exhaustive()
        }
    }
}

/// Table `import_faults`: a line that made no account.
pub(crate) mod fault {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "import_faults")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) import_id: i64,
        /// Counted from 1.
        pub(crate) line: i64,
        /// A list of [`lyceum_contracts::problem::Fault`].
        pub(crate) errors: Json,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
