//! A variable that ends in `_FILE` names the file that holds the value.

use super::*;

/// A folder of secrets, as an orchestrator mounts one.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn a_file_holds_the_value_and_one_newline_more_at_most() {
    for (content, value) in [
        ("rye", "rye"),
        ("rye\n", "rye"),
        ("rye\r\n", "rye"),
        (" rye\n\n", " rye\n"),
        ("0123", "0123"),
        ("a,b\n", "a,b"),
    ] {
        let folder = folder(&[("key", content.as_bytes())]);
        let settings = with(&[("LYCEUM__OVEN__KEY_FILE", &path(&folder, "key"))]).unwrap();
        assert_eq!(settings.service.oven.key.expose(), value);
    }
}

#[test]
fn any_key_can_be_read_from_a_file() {
    let folder = folder(&[("degrees", b"180\n"), ("environment", b"production\n")]);
    let settings = with(&[("LYCEUM__OVEN__DEGREES_FILE", &path(&folder, "degrees"))]).unwrap();
    assert_eq!(settings.service.oven.degrees, 180);
    let refusal = refusal(&[("LYCEUM__ENVIRONMENT_FILE", &path(&folder, "environment"))]);
    assert!(refusal.contains("which production refuses"), "{refusal}");
}

#[test]
fn a_list_is_separated_by_lines_or_commas() {
    let (new, old) = ("n".repeat(32), "o".repeat(32));
    for text in [
        format!("{new}\n{old}\n"),
        format!("{new}\n\n{old}\n\n"),
        format!("{new}, {old},"),
    ] {
        let folder = folder(&[("secrets", text.as_bytes())]);
        let file = path(&folder, "secrets");
        let settings = with(&[("LYCEUM__SERVICE_AUTH__SECRETS_FILE", &file)]).unwrap();
        let secrets = &settings.platform.service_auth.secrets;
        let texts: Vec<_> = secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(texts, [&new, &old]);
    }
}

#[test]
fn a_value_and_a_file_for_one_key_contradict_each_other() {
    // Whether or not the file is there.
    let both = [
        ("LYCEUM__OVEN__KEY_FILE", "/nowhere/key"),
        ("LYCEUM__OVEN__KEY", "rye"),
    ];
    assert_eq!(
        refusal(&both),
        "setting `oven.key`: set by LYCEUM__OVEN__KEY and by LYCEUM__OVEN__KEY_FILE, keep one"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_variable_and_never_quoted() {
    let large = "hunter2".repeat(64 * 1024 / 7 + 1);
    let folder = folder(&[
        ("empty", b""),
        ("blank", b"\n"),
        ("latin1", b"hunter2\xe9"),
        ("large", large.as_bytes()),
    ]);
    for (name, reason) in [
        ("absent", "No such file"),
        (".", "Is a directory"),
        ("empty", "empty"),
        ("blank", "empty"),
        ("latin1", "not UTF-8"),
        ("large", "larger than 65536 bytes"),
    ] {
        let file = path(&folder, name);
        let message = refusal(&[("LYCEUM__OVEN__KEY_FILE", &file)]);
        let named = format!("LYCEUM__OVEN__KEY_FILE names a file that cannot be used: {file}: ");
        assert!(message.starts_with(&named), "{message}");
        assert!(message.contains(reason), "{message}");
        assert!(!message.contains("hunter2") && !message.contains('\n'));
    }
}

#[test]
fn what_is_no_absolute_path_may_be_the_secret_itself_and_is_not_quoted() {
    for text in ["hunter2", "secrets/hunter2", ""] {
        assert_eq!(
            refusal(&[("LYCEUM__OVEN__KEY_FILE", text)]),
            "LYCEUM__OVEN__KEY_FILE names a file that cannot be used: is not an absolute path"
        );
    }
}

#[test]
fn a_file_as_large_as_may_be_is_read() {
    let folder = folder(&[("key", &vec![b'x'; 64 * 1024])]);
    let settings = with(&[("LYCEUM__OVEN__KEY_FILE", &path(&folder, "key"))]).unwrap();
    assert_eq!(settings.service.oven.key.expose().len(), 64 * 1024);
}

#[test]
fn what_a_file_says_is_not_repeated_when_it_does_not_fit() {
    let folder = folder(&[("secret", b"hunter2")]);
    let file = path(&folder, "secret");
    for (variable, key) in [
        ("LYCEUM__OVEN__DEGREES_FILE", "oven.degrees"),
        ("LYCEUM__ENVIRONMENT_FILE", "environment"),
        ("LYCEUM__OVEN_FILE", "oven"),
        ("LYCEUM__OVEN__COLOUR_FILE", "oven.colour"),
    ] {
        let message = refusal(&[(variable, &file)]);
        let named = message.starts_with(&format!("setting `{key}`: "));
        assert!(named && !message.contains("hunter2"), "{message}");
    }
}
