//! YAML and JSON as one tree that knows its lines. JSON is read as the YAML that it is.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nesting beyond this is no configuration.
const DEEPEST: usize = 64;

/// Nodes of one file, with those that aliases repeat.
const MOST_NODES: usize = 200_000;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: u32,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key. Protocol Buffers' JSON writes `ecdhCurves` for `ecdh_curves`, so
    /// case and underscores do not count.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else {
            return None;
        };
        let found = entries
            .iter()
            .find(|(name, _)| is_same(name, key))
            .map(|(_, node)| node);
        // YAML's merge key stands behind the map's own.
        found.or_else(|| {
            let merged = entries
                .iter()
                .find(|(name, _)| name == "<<")
                .map(|(_, node)| node)?;
            let Value::Map(entries) = &merged.value else {
                return None;
            };
            entries
                .iter()
                .find(|(name, _)| is_same(name, key))
                .map(|(_, node)| node)
        })
    }

    /// The node at the end of a path of keys.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a node that is none has none.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The texts of a list's items.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// Its nodes, long texts counting as several.
    fn count(&self) -> usize {
        match &self.value {
            Value::Scalar(text) => 1 + text.len() / 256,
            Value::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Value::Map(entries) => 1 + entries.iter().map(|(_, node)| node.count()).sum::<usize>(),
        }
    }
}

fn is_same(name: &str, key: &str) -> bool {
    let mut one = name
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase());
    let mut other = key
        .chars()
        .filter(|c| *c != '_')
        .map(|c| c.to_ascii_lowercase());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (left, right) if left != right => return false,
            _ => {}
        }
    }
}

/// What is wrong with a file, and on which line.
pub(super) type Broken = (u32, String);

/// The documents of a file, as far as they can be read.
pub(super) fn documents(text: &str) -> (Vec<Node>, Option<Broken>) {
    // JSON allows tabs where YAML's scanner does not; within JSON's strings none may stand.
    let is_json = text.trim_start().starts_with(['{', '[']);
    let spaced = if is_json {
        text.replace('\t', " ")
    } else {
        String::new()
    };
    let text = if is_json { spaced.as_str() } else { text };

    let mut builder = Builder::default();
    let mut broken = None;
    for event in Parser::new_from_str(text) {
        let result = match event {
            Ok((event, span)) => {
                let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
                builder.event(event, line)
            }
            Err(error) => {
                let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
                Err((line.max(1), format!("not YAML or JSON: {}", error.info())))
            }
        };
        if let Err(reason) = result {
            broken = Some(reason);
            break;
        }
    }
    while builder.close() {}
    (builder.documents, broken)
}

/// A list or map that is open.
struct Open {
    node: Node,
    anchor: usize,
    /// The key of a map whose value comes next, and its line.
    key: Option<(String, u32)>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u32) -> Result<(), Broken> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_null = style == ScalarStyle::Plain && matches!(text.as_ref(), "~" | "null");
                let text = if is_null {
                    String::new()
                } else {
                    text.into_owned()
                };
                let node = Node {
                    line,
                    value: Value::Scalar(text),
                };
                self.complete(node, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(Value::List(Vec::new()), anchor, line),
            Event::MappingStart(anchor, _) => self.begin(Value::Map(Vec::new()), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => {
                self.close();
                Ok(())
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.unwrap_or(Node {
                    line,
                    value: Value::Scalar(String::new()),
                });
                self.nodes += node.count();
                self.complete(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, value: Value, anchor: usize, line: u32) -> Result<(), Broken> {
        if self.open.len() >= DEEPEST {
            return Err((
                line,
                format!("nested deeper than {DEEPEST}: the rest is not read"),
            ));
        }
        self.open.push(Open {
            node: Node { line, value },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Broken> {
        let line = node.line;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err((
                line,
                format!("more than {MOST_NODES} values: the rest is not read"),
            ));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node);
        Ok(())
    }

    /// Adds a node to what is open. A value of a map stands on the line of its key.
    fn add(&mut self, mut node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        match &mut open.node.value {
            Value::List(items) => items.push(node),
            Value::Map(entries) => match open.key.take() {
                Some((key, line)) => {
                    node.line = line;
                    entries.push((key, node));
                }
                None => open.key = Some((node.text().unwrap_or_default().to_owned(), node.line)),
            },
            Value::Scalar(_) => {}
        }
    }

    /// Closes the innermost list or map.
    fn close(&mut self) -> bool {
        let Some(open) = self.open.pop() else {
            return false;
        };
        if open.anchor > 0 {
            // Each repetition is counted where it is made.
            self.anchors.insert(open.anchor, open.node.clone());
            self.nodes += open.node.count();
        }
        self.nodes += 1;
        self.add(open.node);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_in_yaml_and_json() {
        let (documents, broken) = documents("a:\n  b: [x,\n    y]\n  cD: &z {e: f}\nh: *z\n");
        assert_eq!(broken, None);
        let list = documents[0].at(&["a", "b"]).unwrap();
        assert_eq!((list.line, list.items()[1].line), (2, 3));
        assert_eq!(
            documents[0].at(&["a", "c_d", "e"]).and_then(Node::text),
            Some("f")
        );
        assert_eq!(documents[0].at(&["h", "e"]).and_then(Node::text), Some("f"));

        let (documents, broken) =
            super::documents("{\n\t\"a\": [1, true, null],\n\t\"b\": {\"c\": \"\\u00e9\\/\"}\n}\n");
        assert_eq!(broken, None);
        assert_eq!(
            documents[0].at(&["b", "c"]).and_then(Node::text),
            Some("é/")
        );
        assert_eq!(documents[0].get("b").unwrap().line, 3);
    }

    #[test]
    fn merged_keys_stand_behind_own_ones() {
        let (documents, _) = documents("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  x: 3\n");
        let used = documents[0].get("use").unwrap();
        assert_eq!(used.get("x").and_then(Node::text), Some("3"));
        assert_eq!(used.get("y").and_then(Node::text), Some("2"));
    }

    #[test]
    fn what_stands_before_the_error_is_read() {
        let (documents, broken) = documents("a: 1\nb:\n  c: 2\n  d: [3\nx: }\n");
        let (line, reason) = broken.unwrap();
        assert!(line >= 4, "{reason}");
        assert_eq!(documents[0].at(&["b", "c"]).and_then(Node::text), Some("2"));
    }

    #[test]
    fn nesting_and_repetition_are_bounded() {
        let (_, broken) = documents(&"[".repeat(100_000));
        assert!(broken.is_some());
        let (_, broken) = documents(&format!("a: {}1{}", "{b: ".repeat(5000), "}".repeat(5000)));
        assert!(broken.is_some());
        // Each line repeats the one before it ten times.
        let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for index in 1..12 {
            let before = format!("*a{}, ", index - 1).repeat(10);
            laughs.push_str(&format!("a{index}: &a{index} [{before}]\n"));
        }
        let (_, broken) = documents(&laughs);
        assert!(broken.unwrap().1.contains("more than"));
    }
}
