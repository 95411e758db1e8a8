//! A Caddyfile's syntax: a directive a line, a brace at its end opens a block.

use super::super::reading::Reading;

/// Deeper blocks are not looked into.
const DEEPEST: usize = 32;

/// One line with its block, if it has one.
#[derive(Debug, Clone, Default)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) words: Vec<String>,
    pub(super) block: Option<Vec<Statement>>,
}

impl Statement {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

/// The statements of a file. What is broken becomes a problem, and reading goes on behind it.
pub(super) fn statements(text: &str, reading: &mut Reading<'_>) -> Vec<Statement> {
    let mut open: Vec<(Statement, Vec<Statement>)> = Vec::new();
    let mut current: Vec<Statement> = Vec::new();
    let mut too_deep = 0_usize;
    for mut statement in lines(text, reading) {
        let line = statement.line;
        if statement.words == ["}"] {
            if too_deep > 0 {
                too_deep -= 1;
            } else if let Some((mut opened, outer)) = open.pop() {
                opened.block = Some(std::mem::replace(&mut current, outer));
                current.push(opened);
            } else {
                reading.problem(line, "a closing brace without an opening one");
            }
        } else if statement.words.last().is_some_and(|word| word == "{") {
            statement.words.pop();
            if open.len() >= DEEPEST {
                if too_deep == 0 {
                    reading.problem(line, format!("blocks deeper than {DEEPEST} are not read"));
                }
                too_deep += 1;
            } else {
                open.push((statement, std::mem::take(&mut current)));
            }
        } else {
            current.push(statement);
        }
    }
    if let Some((unclosed, _)) = open.last() {
        reading.problem(unclosed.line, "a block that does not end");
    }
    while let Some((mut opened, outer)) = open.pop() {
        opened.block = Some(std::mem::replace(&mut current, outer));
        current.push(opened);
    }
    current
}

/// Lines of words; a comma at the end of one continues a list of addresses.
fn lines(text: &str, reading: &mut Reading<'_>) -> Vec<Statement> {
    let mut lines: Vec<Statement> = Vec::new();
    let mut statement = Statement::default();
    let mut line = 1;
    let mut characters = text.chars().peekable();
    let mut word: Option<String> = None;
    loop {
        let next = characters.next();
        match next {
            Some('\n') | None => {
                statement.words.extend(word.take());
                let continues = statement
                    .words
                    .last()
                    .is_some_and(|last| last.ends_with(','));
                if !statement.words.is_empty() && (!continues || next.is_none()) {
                    lines.push(std::mem::take(&mut statement));
                }
                if next.is_none() {
                    return lines;
                }
                line += 1;
            }
            Some(c) if c.is_whitespace() => statement.words.extend(word.take()),
            Some('#') if word.is_none() => {
                while characters.peek().is_some_and(|c| *c != '\n') {
                    characters.next();
                }
            }
            Some('\\') if word.is_none() && characters.peek() == Some(&'\n') => {
                characters.next();
                line += 1;
            }
            Some(quote @ ('"' | '`')) if word.is_none() => {
                let start = line;
                if statement.words.is_empty() {
                    statement.line = start;
                }
                let mut quoted = String::new();
                let is_closed = loop {
                    match characters.next() {
                        None => break false,
                        Some(c) if c == quote => break true,
                        Some('\\') if quote == '"' && characters.peek() == Some(&'"') => {
                            quoted.extend(characters.next());
                        }
                        Some(c) => {
                            line += u32::from(c == '\n');
                            quoted.push(c);
                        }
                    }
                };
                if !is_closed {
                    reading.problem(start, "a quotation that does not end");
                }
                statement.words.push(quoted);
            }
            Some(c) => {
                if word.is_none() && statement.words.is_empty() {
                    statement.line = line;
                }
                word.get_or_insert_default().push(c);
            }
        }
    }
}
