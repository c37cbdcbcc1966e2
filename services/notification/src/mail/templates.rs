//! From a letter's content to its subject, text and page.
//!
//! A template is a plain text: the subject, then paragraphs, with an empty line between any two; a
//! paragraph in square brackets is the letter's one link. It is cut into these parts before
//! anything is put into it, and the layouts put the finished parts together, the page's with every
//! character escaped. So data is never part of a template, nor of the markup.

use lyceum_contracts::delivery::LetterPreview;
use minijinja::{Environment, Error, UndefinedBehavior, context};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::letter::Content;
use super::locale::Locale;

/// The page. Its name has the engine escape what is put into it.
const PAGE: (&str, &str) = ("layout.html", include_str!("letters/layout.html"));
/// The plain text.
const TEXT: (&str, &str) = ("layout.txt", include_str!("letters/layout.txt"));

/// The name of the template of several letters in one.
pub(super) const DIGEST: &str = "digest";

/// What one reader is written, besides the content.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) locale: Locale,
}

/// Where the links of a letter lead.
#[derive(Debug, Clone)]
pub(super) struct Links {
    /// What the letter is about.
    pub(super) action: String,
    /// Until when that counts, if it ends.
    pub(super) expires_at: Option<OffsetDateTime>,
    /// The page that ends letters of this kind, if that is possible.
    pub(super) unsubscribe: Option<String>,
}

#[derive(Serialize)]
struct Part {
    text: String,
    link: Option<String>,
}

/// Puts the letter together.
///
/// # Errors
/// When a template names something that is not there, which a test of all of them rules out.
pub(super) fn write(
    content: &Content,
    reader: Reader<'_>,
    links: &Links,
) -> Result<LetterPreview, Error> {
    let engine = engine()?;
    let values = values(content, reader, links.expires_at);
    let source = source(content, reader.locale);
    let (subject, parts) = cut(&engine, source, &values, &links.action)?;
    bind(&engine, subject, &parts, reader, links)
}

/// Puts several letters into one, each with where it leads: its subject, which is the link, and
/// what it says besides.
///
/// # Errors
/// As [`write`].
pub(super) fn gather(
    letters: &[(&Content, String)],
    reader: Reader<'_>,
    links: &Links,
) -> Result<LetterPreview, Error> {
    let engine = engine()?;
    let opening = match reader.locale {
        Locale::English => include_str!("letters/en/digest.txt"),
        Locale::German => include_str!("letters/de/digest.txt"),
    };
    let values_of_all = context! { name => reader.name, count => letters.len() };
    let (subject, mut all) = cut(&engine, opening, &values_of_all, &links.action)?;
    for (content, action) in letters {
        let values = values(content, reader, None);
        let source = source(content, reader.locale);
        let (subject, parts) = cut(&engine, source, &values, action)?;
        all.push(Part {
            text: subject,
            link: Some(action.clone()),
        });
        // Without the greeting, and the link, which is above.
        let rest = parts.into_iter().skip(1);
        all.extend(rest.filter(|part| part.link.is_none()));
    }
    bind(&engine, subject, &all, reader, links)
}

fn engine() -> Result<Environment<'static>, Error> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.add_template(PAGE.0, PAGE.1)?;
    engine.add_template(TEXT.0, TEXT.1)?;
    Ok(engine)
}

/// The subject of a template and its paragraphs, with the values put into each.
fn cut(
    engine: &Environment<'_>,
    source: &str,
    values: &minijinja::Value,
    action: &str,
) -> Result<(String, Vec<Part>), Error> {
    let mut paragraphs = source.trim().split("\n\n");
    let render = |paragraph: &str| engine.render_str(&paragraph.replace('\n', " "), values);
    let subject = render(paragraphs.next().unwrap_or_default())?;
    let mut parts = Vec::new();
    for paragraph in paragraphs {
        let label = paragraph
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        parts.push(Part {
            text: render(label.unwrap_or(paragraph))?,
            link: label.map(|_| action.to_owned()),
        });
    }
    Ok((subject, parts))
}

/// The finished parts between head and foot.
fn bind(
    engine: &Environment<'_>,
    subject: String,
    parts: &[Part],
    reader: Reader<'_>,
    links: &Links,
) -> Result<LetterPreview, Error> {
    let letter = context! {
        subject,
        parts,
        locale => reader.locale.as_str(),
        unsubscribe => links.unsubscribe,
        no_more => no_more(reader.locale),
    };
    Ok(LetterPreview {
        text: engine.get_template(TEXT.0)?.render(&letter)?,
        html: engine.get_template(PAGE.0)?.render(&letter)?,
        subject,
    })
}

/// What the paragraphs may name.
fn values(
    content: &Content,
    reader: Reader<'_>,
    expires_at: Option<OffsetDateTime>,
) -> minijinja::Value {
    let (course_title, title, text) = match content {
        Content::Enrolment { course_title, .. } => (Some(course_title.as_str()), None, None),
        Content::Announcement { title, text } => (None, Some(title.as_str()), Some(text.as_str())),
        Content::Welcome {}
        | Content::ResetPassword { .. }
        | Content::ConfirmEmail { .. }
        | Content::AcceptInvitation { .. } => (None, None, None),
    };
    let form = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let expires_at = expires_at.and_then(|end| end.format(form).ok());
    context! { name => reader.name, expires_at, course_title, title, text }
}

/// The words over the link that ends letters of one kind.
const fn no_more(locale: Locale) -> &'static str {
    match locale {
        Locale::English => "No more letters of this kind",
        Locale::German => "Keine Briefe dieser Art mehr",
    }
}

/// The template of a letter in a language.
const fn source(content: &Content, locale: Locale) -> &'static str {
    macro_rules! letters {
        ($folder:literal) => {
            match content {
                Content::Welcome {} => include_str!(concat!("letters/", $folder, "/welcome.txt")),
                Content::ResetPassword { .. } => {
                    include_str!(concat!("letters/", $folder, "/reset_password.txt"))
                }
                Content::ConfirmEmail { .. } => {
                    include_str!(concat!("letters/", $folder, "/confirm_email.txt"))
                }
                Content::AcceptInvitation { .. } => {
                    include_str!(concat!("letters/", $folder, "/accept_invitation.txt"))
                }
                Content::Enrolment { .. } => {
                    include_str!(concat!("letters/", $folder, "/enrolment.txt"))
                }
                Content::Announcement { .. } => {
                    include_str!(concat!("letters/", $folder, "/announcement.txt"))
                }
            }
        };
    }
    match locale {
        Locale::English => letters!("en"),
        Locale::German => letters!("de"),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn links() -> Links {
        Links {
            action: "https://lyceum.test/x?a=1&b=2#token=t".to_owned(),
            expires_at: Some(datetime!(2026-01-02 03:04 UTC)),
            unsubscribe: Some("https://lyceum.test/unsubscribe?token=u".to_owned()),
        }
    }

    fn written(content: &Content, name: &str, locale: Locale) -> LetterPreview {
        write(content, Reader { name, locale }, &links()).unwrap()
    }

    #[test]
    fn every_letter_can_be_written_in_every_language_with_nothing_left_out() {
        for content in Content::samples().unwrap() {
            let all = Locale::ALL.map(|locale| written(&content, "Ada", locale));
            for (letter, locale) in all.iter().zip(Locale::ALL) {
                assert!(!letter.subject.is_empty());
                assert!(!letter.subject.contains('\n'));
                assert!(letter.text.contains("Ada") && letter.html.contains("Ada"));
                for rest in ["{{", "}}", "{%", "undefined", " none"] {
                    assert!(!letter.text.contains(rest), "{rest} in {}", letter.text);
                }
                let lang = format!("<html lang=\"{}\">", locale.as_str());
                assert!(letter.html.contains(&lang));
                assert!(letter.text.contains("unsubscribe?token=u"));
                if content.link().is_some() {
                    assert!(
                        letter
                            .text
                            .contains("\nhttps://lyceum.test/x?a=1&b=2#token=t\n")
                    );
                    assert!(letter.text.contains("2026-01-02 03:04 UTC"));
                }
            }
            assert_ne!(all[0].text, all[1].text, "{}", content.template());
        }
    }

    #[test]
    fn several_letters_in_one_say_what_each_of_them_says() {
        let samples = Content::samples().unwrap();
        let all: Vec<_> = samples
            .iter()
            .filter(|content| content.topic().is_mutable())
            .map(|content| (content, "https://lyceum.test/y".to_owned()))
            .collect();
        for locale in Locale::ALL {
            let reader = Reader {
                name: "Ada",
                locale,
            };
            let letter = gather(&all, reader, &links()).unwrap();
            assert!(letter.subject.ends_with(": 2"), "{}", letter.subject);
            for said in ["Logic & Rhetoric", "Maintenance on Sunday", "Lyceum rests"] {
                assert!(letter.text.contains(said), "{said} in {}", letter.text);
            }
            assert!(letter.html.contains("Logic &amp; Rhetoric"));
            assert_eq!(letter.text.matches("Ada").count(), 1, "one greeting");
            assert_eq!(letter.text.matches("https://lyceum.test/y\n").count(), 2);
        }
    }

    #[test]
    fn data_is_never_part_of_a_template_nor_of_the_page() {
        let content = Content::Announcement {
            title: "{{ name }}\r\nBcc: x@y".to_owned(),
            text: "<script>alert(1)</script>\n\n[{{ constructor }}]".to_owned(),
        };
        let letter = written(&content, "{% raw %}<b>", Locale::English);
        assert_eq!(letter.subject, "{{ name }}\r\nBcc: x@y");
        assert!(letter.text.contains("Hello {% raw %}<b>,"));
        assert!(
            letter
                .text
                .contains("<script>alert(1)</script>\n\n[{{ constructor }}]")
        );
        assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>"));
        assert!(letter.html.contains("&lt;script&gt;"));
        assert_eq!(
            letter.html.matches("<a ").count(),
            1,
            "only the footer links"
        );
    }
}
