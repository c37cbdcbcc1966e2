//! README.md, read to the stack in its own words.

use lyceum_stack_test::Stack;
use lyceum_stack_test::command::finished;
use tokio::process::Command;

const README: &str = include_str!("../../../../README.md");

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn the_readme_does_as_it_says() {
    let stack = Stack::running().await;
    let mut inside = false;
    let told = |line: &&str| {
        let was_inside = inside;
        match *line {
            "```sh" | "```sh compose" => inside = true,
            "```" => inside = false,
            _ => {}
        }
        was_inside && inside
    };
    let story: Vec<&str> = README.lines().filter(told).collect();
    let story = story.join("\n");
    assert!(story.contains("docker compose kill course"), "{story}");
    // The one file the story writes is read by it before it ends.
    let folder = stack.checkout().join("target/stack-test");
    std::fs::create_dir_all(&folder).expect("a folder under target");
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c"])
        .arg(format!("{story}\nrm grace.events"))
        .current_dir(&folder)
        .env("COMPOSE_FILE", stack.checkout().join("docker-compose.yml"));
    let told = finished(&mut bash).await;
    let (text, errors) = (
        String::from_utf8_lossy(&told.stdout),
        String::from_utf8_lossy(&told.stderr),
    );
    println!("{text}");
    assert!(told.status.success(), "{errors}");
    assert!(text.contains("enrolment.created"), "the stream told of it");
    let (felt, healed) = (
        text.find("\"part\":\"courses\""),
        text.rfind("\"degraded\":[]"),
    );
    assert!(felt.is_some(), "the kill was felt");
    assert!(healed > felt, "and it healed");
}
