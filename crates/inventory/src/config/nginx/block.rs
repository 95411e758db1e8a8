//! nginx's syntax: statements that end in `;` or hold a block.

use super::super::reading::Reading;

/// Deeper blocks are not looked into; nginx itself has no use for more than a handful.
const DEEPEST: usize = 32;

/// One statement with its block, if it has one.
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

    pub(super) fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// The statements of a file. What is broken becomes a problem, and reading goes on behind it.
pub(super) fn statements(text: &str, reading: &mut Reading<'_>) -> Vec<Statement> {
    let mut tokens = Tokens {
        text,
        at: 0,
        line: 1,
    };
    // The blocks that are open, each with the statement that opened it.
    let mut open: Vec<(Statement, Vec<Statement>)> = Vec::new();
    let mut current: Vec<Statement> = Vec::new();
    let mut statement = Statement::default();
    let mut too_deep = 0_usize;
    loop {
        let token = tokens.next();
        let line = tokens.line;
        match token {
            Token::Word(word, line) => {
                if statement.words.is_empty() {
                    statement.line = line;
                }
                statement.words.push(word);
            }
            Token::Semicolon => finish(&mut statement, &mut current),
            Token::Open if statement.name().ends_with("_by_lua_block") => {
                if !tokens.skip_block() {
                    reading.problem(statement.line, "a block of Lua does not end");
                }
                finish(&mut statement, &mut current);
            }
            Token::Open if open.len() >= DEEPEST => {
                if too_deep == 0 {
                    reading.problem(line, format!("blocks deeper than {DEEPEST} are not read"));
                }
                too_deep += 1;
                statement = Statement::default();
            }
            Token::Open => {
                if statement.words.is_empty() {
                    statement.line = line;
                }
                open.push((std::mem::take(&mut statement), std::mem::take(&mut current)));
            }
            Token::Close => {
                if !statement.words.is_empty() {
                    reading.problem(
                        statement.line,
                        format!("{} does not end with a semicolon", statement.name()),
                    );
                    finish(&mut statement, &mut current);
                }
                if too_deep > 0 {
                    too_deep -= 1;
                } else if !close(&mut open, &mut current) {
                    reading.problem(line, "a closing brace without an opening one");
                }
            }
            Token::Unterminated(line) => reading.problem(line, "a quotation that does not end"),
            Token::End => break,
        }
    }
    if !statement.words.is_empty() {
        reading.problem(
            statement.line,
            format!("{} does not end with a semicolon", statement.name()),
        );
        finish(&mut statement, &mut current);
    }
    if let Some((unclosed, _)) = open.last() {
        reading.problem(
            unclosed.line,
            format!("the block of {} does not end", unclosed.name()),
        );
    }
    while close(&mut open, &mut current) {}
    current
}

fn finish(statement: &mut Statement, current: &mut Vec<Statement>) {
    let statement = std::mem::take(statement);
    if !statement.words.is_empty() {
        current.push(statement);
    }
}

fn close(open: &mut Vec<(Statement, Vec<Statement>)>, current: &mut Vec<Statement>) -> bool {
    let Some((mut statement, outer)) = open.pop() else {
        return false;
    };
    statement.block = Some(std::mem::replace(current, outer));
    current.push(statement);
    true
}

enum Token {
    Word(String, u32),
    Semicolon,
    Open,
    Close,
    /// A quotation that runs to the end of the file, and its line.
    Unterminated(u32),
    End,
}

struct Tokens<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Tokens<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.line += u32::from(c == '\n');
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Token {
        loop {
            let line = self.line;
            match self.take() {
                None => return Token::End,
                Some(';') => return Token::Semicolon,
                Some('{') => return Token::Open,
                Some('}') => return Token::Close,
                Some('#') => while self.take().is_some_and(|c| c != '\n') {},
                Some(c) if c.is_whitespace() => {}
                Some(quote @ ('"' | '\'')) => {
                    return match self.quoted(quote) {
                        Some(word) => Token::Word(word, line),
                        None => Token::Unterminated(line),
                    };
                }
                Some(c) => return Token::Word(self.bare(c), line),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut word = String::new();
        loop {
            match self.take()? {
                '\\' => word.extend(self.take()),
                c if c == quote => return Some(word),
                c => word.push(c),
            }
        }
    }

    fn bare(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.peek() {
            // A variable in braces, as in `${name}`, is a part of its word.
            let is_variable = c == '{' && word.ends_with('$');
            if c.is_whitespace() || c == ';' || (c == '{' && !is_variable) {
                break;
            }
            if c == '}' && !word.contains("${") {
                break;
            }
            self.take();
            word.push(c);
            if c == '\\' {
                word.extend(self.take());
            }
        }
        word
    }

    /// Skips to behind the brace that closes an open block.
    fn skip_block(&mut self) -> bool {
        let mut depth = 1_usize;
        while let Some(c) = self.take() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return true;
            }
        }
        false
    }
}
