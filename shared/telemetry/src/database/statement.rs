//! What a statement does and to which table, read from the text sea-query generated; and that text without values.
//! The reading is of tokens, not a parser: literals, comments, quoted names and subqueries are stepped over.

/// Longest `db.query.text` kept, in bytes: a bulk insert repeats itself a thousand times.
pub(super) const LONGEST_TEXT: usize = 2048;

/// What a statement is, borrowed from its text.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) struct Summary<'a> {
    /// The first keyword, such as `SELECT`; for a statement behind `WITH`, its own keyword.
    pub(super) operation: &'a str,
    /// The table after `FROM`, `INTO`, `UPDATE` or `TABLE`, unquoted.
    pub(super) collection: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Token<'a> {
    Word(&'a str),
    Literal,
    Open,
    Close,
    Other(&'a str),
}

impl<'a> Summary<'a> {
    pub(super) fn of(sql: &'a str) -> Self {
        let mut operation = "";
        let mut depth = 0_usize;
        let mut table_next = false;
        let mut tokens = Tokens(sql);
        while let Some(token) = tokens.next() {
            match token {
                // A subquery in the place of a table: the table is the one it reads.
                Token::Open if table_next => table_next = false,
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::Word(_) if depth > 0 => {}
                Token::Word(word) if table_next && !is_filler(word) => {
                    let table = tokens.qualified().unwrap_or(word);
                    return Self {
                        operation,
                        collection: Some(unquoted(table)),
                    };
                }
                Token::Word(word) => {
                    if operation.is_empty() || (is_with(operation) && is_operation(word)) {
                        operation = word;
                    }
                    table_next = table_next || leads_to_table(word);
                }
                Token::Literal | Token::Other(_) => {}
            }
        }
        Self {
            operation,
            collection: None,
        }
    }

    /// `SELECT users`: the span's name and `db.query.summary`.
    pub(super) fn name(&self) -> String {
        match self.collection {
            Some(collection) => format!("{} {collection}", self.operation),
            None => self.operation.to_owned(),
        }
    }
}

/// The text with every literal value replaced by `?`, without comments, cut to a bounded length. Placeholders stay.
pub(super) fn without_values(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len().min(LONGEST_TEXT));
    for token in Tokens(sql) {
        let piece = match token {
            Token::Word(piece) | Token::Other(piece) => piece,
            Token::Literal => "?",
            Token::Open => "(",
            Token::Close => ")",
        };
        if text.len() + piece.len() > LONGEST_TEXT {
            break;
        }
        text.push_str(piece);
    }
    text
}

fn leads_to_table(word: &str) -> bool {
    ["FROM", "INTO", "UPDATE", "TABLE"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn is_with(word: &str) -> bool {
    word.eq_ignore_ascii_case("WITH")
}

fn is_operation(word: &str) -> bool {
    ["SELECT", "INSERT", "UPDATE", "DELETE"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Words that may stand between the keyword and the table: `CREATE TABLE IF NOT EXISTS "x"`, `FROM ONLY "x"`.
fn is_filler(word: &str) -> bool {
    ["IF", "NOT", "EXISTS", "ONLY"]
        .iter()
        .any(|filler| word.eq_ignore_ascii_case(filler))
}

fn unquoted(name: &str) -> &str {
    name.trim_matches(['"', '`'])
}

/// Splits a statement without allocating. Whitespace comes out as [`Token::Other`], comments as nothing.
struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    /// The name behind a dot: the table of a schema just read.
    fn qualified(&mut self) -> Option<&'a str> {
        match (self.next()?, self.next()?) {
            (Token::Other("."), Token::Word(table)) => Some(table),
            _ => None,
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let text = self.0;
            let first = text.chars().next()?;
            let (length, token): (usize, fn(&'a str) -> Token<'a>) = match first {
                '\'' => (quoted(text, '\''), |_| Token::Literal),
                '"' | '`' => (quoted(text, first), Token::Word),
                '$' => match dollar_quoted(text) {
                    Some(length) => (length, |_| Token::Literal),
                    None => (1 + run(&text[1..], char::is_alphanumeric), Token::Other),
                },
                '-' if text.starts_with("--") => {
                    self.0 = &text[text.find('\n').unwrap_or(text.len())..];
                    continue;
                }
                '/' if text.starts_with("/*") => {
                    self.0 = &text[text.find("*/").map_or(text.len(), |end| end + 2)..];
                    continue;
                }
                '(' => (1, |_| Token::Open),
                ')' => (1, |_| Token::Close),
                digit if digit.is_ascii_digit() => {
                    (run(text, |c| c.is_alphanumeric() || c == '.'), |_| {
                        Token::Literal
                    })
                }
                letter if letter.is_alphabetic() || letter == '_' => {
                    (run(text, |c| c.is_alphanumeric() || c == '_'), Token::Word)
                }
                '?' => (1 + run(&text[1..], |c| c.is_ascii_digit()), Token::Other),
                other => (other.len_utf8(), Token::Other),
            };
            let (piece, rest) = text.split_at(length);
            self.0 = rest;
            return Some(token(piece));
        }
    }
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|character| !belongs(character))
        .unwrap_or(text.len())
}

/// Length of a quoted stretch; a doubled quote inside does not end it.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    text.len()
}

/// Length of a PostgreSQL `$tag$ … $tag$` literal; `$1` is a placeholder and none.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = 1 + run(&text[1..], |c| c.is_alphanumeric() || c == '_');
    if !text[tag_end..].starts_with('$') || text[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let tag = &text[..=tag_end];
    let body = &text[tag.len()..];
    Some(
        body.find(tag)
            .map_or(text.len(), |end| tag.len() + end + tag.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_and_table_are_read_from_generated_sql() {
        let cases = [
            (
                r#"SELECT "users"."id", "users"."name" FROM "users" WHERE "users"."id" = $1"#,
                "SELECT users",
            ),
            (
                r#"INSERT INTO "users" ("name") VALUES ($1) RETURNING "id""#,
                "INSERT users",
            ),
            (
                r#"UPDATE "courses" SET "title" = $1 WHERE "id" = $2"#,
                "UPDATE courses",
            ),
            (
                r#"DELETE FROM "outbox" WHERE "id" IN ($1, $2)"#,
                "DELETE outbox",
            ),
            (
                r#"SELECT COUNT(*) AS num_items FROM (SELECT "id" FROM "users") AS "sub_query""#,
                "SELECT users",
            ),
            (
                r#"SELECT (SELECT 1 FROM "a"), 'FROM "b"' FROM "c""#,
                "SELECT c",
            ),
            (
                r#"WITH "due" AS (SELECT "id" FROM "mail") UPDATE "mail" SET "x" = 1"#,
                "UPDATE mail",
            ),
            (
                r#"CREATE TABLE IF NOT EXISTS "users" ( "id" bigint )"#,
                "CREATE users",
            ),
            (r#"SELECT 1 FROM "public"."users" AS "u""#, "SELECT users"),
            ("select 1", "select"),
            ("COMMIT", "COMMIT"),
            ("PRAGMA foreign_keys = ON", "PRAGMA"),
            ("/* FROM x */ BEGIN IMMEDIATE", "BEGIN"),
            ("", ""),
        ];
        for (sql, name) in cases {
            assert_eq!(Summary::of(sql).name(), name, "{sql}");
        }
    }

    #[test]
    fn values_never_stay_in_the_text() {
        let cases = [
            (
                "SELECT * FROM t WHERE a = 'o''hara' AND b = 42",
                "SELECT * FROM t WHERE a = ? AND b = ?",
            ),
            ("SELECT $1, ?, ?2 -- secret", "SELECT $1, ?, ?2 "),
            ("SELECT $tag$secret 'x'$tag$, $$secret$$", "SELECT ?, ?"),
            ("SELECT 'unterminated secret", "SELECT ?"),
            (r#"SELECT "it's"."x1" /* secret"#, r#"SELECT "it's"."x1" "#),
        ];
        for (sql, text) in cases {
            assert_eq!(without_values(sql), text);
        }
    }

    #[test]
    fn a_long_statement_is_cut() {
        let sql = format!("INSERT INTO t VALUES {}", "($1, $2), ".repeat(1000));
        assert!(without_values(&sql).len() <= LONGEST_TEXT);
    }
}
