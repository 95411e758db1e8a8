//! The page of an assessment.

#![allow(clippy::unwrap_used)]

mod estate;
mod synthetic;

use audit::{Assessment, Endpoint, Location, Profile, Service, Target};
use report::{render_assessment, render_html_with};

fn html(assessment: &Assessment, endpoints: &[Endpoint]) -> String {
    render_assessment(assessment, endpoints).unwrap()
}

fn page() -> String {
    let estate = estate::estate();
    html(
        &estate::assessed(&estate, &Profile::default()),
        &estate.endpoints,
    )
}

fn document(html: &str) -> roxmltree::Document<'_> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..Default::default()
    };
    roxmltree::Document::parse_with_options(html, options).unwrap()
}

/// All text of an element.
fn text(node: roxmltree::Node<'_, '_>) -> String {
    let texts = node.descendants().filter_map(|node| match node.is_text() {
        true => node.text(),
        false => None,
    });
    texts.collect::<Vec<_>>().concat().replace('\u{a0}', " ")
}

/// The section under a heading.
fn section<'a>(document: &'a roxmltree::Document<'a>, id: &str) -> roxmltree::Node<'a, 'a> {
    let mut all = document.descendants();
    all.find(|node| node.attribute("aria-labelledby") == Some(id))
        .unwrap_or_else(|| panic!("no section {id}"))
}

#[test]
fn the_page_is_well_formed_and_loads_nothing() {
    let html = page();
    let document = document(&html);
    let mut ids = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "link", "img", "iframe", "object", "embed"].contains(&name));
        for attribute in node.attributes() {
            let is_load = ["src", "href", "data", "poster", "srcset"].contains(&attribute.name());
            assert!(
                !is_load || attribute.value().starts_with('#'),
                "{attribute:?}"
            );
            assert!(!attribute.name().starts_with("on"), "{attribute:?}");
        }
        ids.extend(node.attribute("id"));
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
    for node in document.descendants() {
        if let Some(target) = node.attribute("href") {
            assert!(ids.contains(&&target[1..]), "{target} leads nowhere");
        }
    }
    let style = document
        .descendants()
        .find(|node| node.has_tag_name("style"))
        .unwrap();
    let style = style.text().unwrap();
    assert!(!style.contains("@import") && !style.contains("url(http"));
}

#[test]
fn the_parts_stand_in_the_order_of_a_review() {
    let html = page();
    let document = document(&html);
    let headings: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("h2"))
        .map(text)
        .collect();
    assert_eq!(
        headings,
        [
            "The answer",
            "What has to change by when",
            "Who gets what",
            "Algorithms and policies",
            "Findings",
            "Risk",
            "Not known",
            "Policies",
        ]
    );
    let answer = section(&document, "assessment-answer");
    let topics = answer.descendants().filter(|node| node.has_tag_name("dt"));
    assert!((3..=6).contains(&topics.count()));
}

/// Cells of one column and row, as the class of its colour and its words.
fn cells(document: &roxmltree::Document<'_>, id: &str) -> Vec<(String, String)> {
    let section = section(document, id);
    let cells = section.descendants().filter(|node| node.has_tag_name("td"));
    cells
        .map(|cell| {
            (
                cell.attribute("class").unwrap_or_default().to_owned(),
                text(cell),
            )
        })
        .collect()
}

#[test]
fn every_colour_says_in_words_what_it_means() {
    let html = page();
    let document = document(&html);
    let mut seen: Vec<String> = Vec::new();
    for (class, words) in cells(&document, "assessment-clients") {
        let word = match class.as_str() {
            "cell classical" => "classical",
            "cell hybrid" => "hybrid",
            "cell pure" => "pure post-quantum",
            "cell violates" => "none: handshake_failure",
            "cell unclear" => "not known: ",
            other => panic!("what is {other:?}?"),
        };
        assert!(words.contains(word), "{class}: {words}");
        seen.push(class);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5, "each outcome of a client stands there");
    let mut drafts = 0;
    for (class, words) in cells(&document, "assessment-matrix") {
        let is_right = match class.as_str() {
            "cell conforms" => words.starts_with("conforms"),
            "cell limited" => ["until 20", "deprecated", "advised against"]
                .iter()
                .any(|start| words.starts_with(start)),
            "cell violates" => words.starts_with("violates"),
            "cell unclear" => words.starts_with("not observed"),
            "cell no-rule" => words == "no rule",
            other => panic!("what is {other:?}?"),
        };
        assert!(is_right, "{class}: {words}");
        drafts += usize::from(words.contains("draft"));
    }
    assert!(drafts > 5, "a draft's verdicts are marked");
}

/// Whether a client gets a hybrid, RSA or nothing must stand beside the right endpoint.
#[test]
fn clients_stand_in_their_columns() {
    let html = page();
    let document = document(&html);
    let clients = section(&document, "assessment-clients");
    let rows = clients.descendants().filter(|node| node.has_tag_name("tr"));
    let rows: Vec<Vec<String>> = rows
        .map(|row| {
            row.children()
                .filter(roxmltree::Node::is_element)
                .map(text)
                .collect()
        })
        .collect();
    assert_eq!(rows[0][..3], ["endpoint", "Chrome 156", "Go 1.27"]);
    assert_eq!(rows[1][0], "www.example.test:443 192.0.2.10:443");
    assert_eq!(rows[1][1], "X25519MLKEM768 hybrid");
    assert_eq!(rows[1][3], "secp256r1 classical: one round trip more");
    assert_eq!(rows[1][4], "RSA key transport classical: TLS 1.2");
    // Asked at the first address alone.
    assert_eq!(rows[2][6], "not known: not asked");
    let dead = rows.iter().find(|row| row[0].starts_with("dead")).unwrap();
    assert!(
        dead[1..].iter().all(|cell| cell.contains("timeout")),
        "{dead:?}"
    );
    assert!(!rows.iter().any(|row| row[0].starts_with("ssh")));
}

#[test]
fn a_long_list_of_endpoints_ends_with_a_note() {
    let mut estate = estate::estate();
    let assessment = estate::assessed(&estate, &Profile::default());
    let tls = estate.endpoints[0].clone();
    for number in 0..100 {
        let target = Target {
            host: format!("host{number}.example.test"),
            ..tls.target.clone()
        };
        estate.endpoints.push(Endpoint {
            target,
            ..tls.clone()
        });
    }
    let html = html(&assessment, &estate.endpoints);
    let document = document(&html);
    let clients = section(&document, "assessment-clients");
    let rows = clients.descendants().filter(|node| node.has_tag_name("tr"));
    assert_eq!(rows.count(), 61);
    assert!(text(clients).contains("The first 60 of 105 addresses"));
}

#[test]
fn a_finding_has_all_that_a_reader_needs() {
    let html = page();
    let document = document(&html);
    let findings = section(&document, "assessment-findings");
    let all: Vec<String> = findings
        .descendants()
        .filter(|node| node.has_tag_name("article"))
        .map(text)
        .collect();
    let find = |parts: &[&str]| {
        let found = all
            .iter()
            .find(|one| parts.iter().all(|part| one.contains(part)));
        found.unwrap_or_else(|| panic!("no finding with {parts:?}"))
    };
    // Subject and line, policy with clause and status, the directive, and the price.
    find(&[
        "X25519 (key establishment)",
        "www.example.test:443",
        "us-eo-14412/key-establishment-2030",
        "violates from 2031-01-01 on",
        "required, final, several sources",
        "+1,184 bytes up, +1,088 bytes down, +44 µs [41, 47] client, +22 µs [19, 25] server",
        "a quantum computer",
    ]);
    find(&[
        "/etc/apache2/site.conf:1",
        "SSLCipherSuite ECDHE+AESGCM:ECDHE+CHACHA20",
    ]);
    find(&["not measured: ", "pqlab run"]);
    let severities: Vec<String> = findings
        .descendants()
        .filter(|node| node.has_tag_name("h3"))
        .map(text)
        .collect();
    assert!(severities[0].starts_with("High: ") && severities[1].starts_with("Medium: "));
}

#[test]
fn a_diff_stands_line_by_line_as_it_is_typed() {
    let estate = estate::estate();
    let mut assessment = estate::assessed(&estate, &Profile::default());
    let mut findings = assessment.findings.iter_mut();
    let edit = findings.find_map(|finding| finding.remedy.as_mut()?.edits.first_mut());
    edit.unwrap().diff = Some("--- a\n+++ b\n@@ -1 +1 @@\n-\told;\n+\tnew <x>;\n".to_owned());
    let html = html(&assessment, &estate.endpoints);
    for line in [
        "<span>--- a</span>",
        "<span class=\"removed\">-\told;</span>",
        "<span class=\"added\">+\tnew &lt;x&gt;;</span>",
    ] {
        assert!(html.contains(line), "{line}");
    }
}

#[test]
fn what_is_not_known_is_in_no_other_table() {
    let estate = estate::estate();
    let assessment = estate::assessed(&estate, &Profile::default());
    let html = html(&assessment, &estate.endpoints);
    let document = document(&html);
    let unknown = section(&document, "assessment-unknown");
    let rows = unknown
        .descendants()
        .filter(|node| node.has_tag_name("tr"))
        .count();
    assert_eq!(rows, assessment.not_observed.len() + 1);
    let risk = text(section(&document, "assessment-risk"));
    assert!(!risk.contains("dead.example.test"));
}

/// Quotes, ends of lines, markup, control characters, text that turns its direction, and what
/// XML refuses.
const HOSTILE: [&str; 7] = [
    "\"'`><b>x</b>",
    "a\r\nb\tc",
    "\u{0}\u{1}\u{1b}[2J\u{7f}\u{9b}",
    "moc.elpmaxe\u{202e}\u{2066}\u{200b}",
    "\u{fffe}\u{ffff}\u{fffd}",
    "]]></style></script><script>alert(1)</script><!--",
    "{{ title }}{% raw %}",
];

fn with_names(name: &str) -> (Assessment, Vec<Endpoint>) {
    let mut estate = estate::estate();
    let mut assessment = estate::assessed(&estate, &Profile::default());
    for endpoint in &mut estate.endpoints {
        endpoint.target.host = name.to_owned();
        if let Service::Tls(service) = &mut endpoint.service {
            for client in &mut service.clients {
                client.offer = name.to_owned();
            }
        }
    }
    let said = audit::Answer::Refused(audit::Refusal::by_choice(name));
    if let Service::Tls(service) = &mut estate.endpoints[0].service {
        service.clients[0].answer = said;
    }
    let old = assessment.policies[0].id.clone();
    for policy in &mut assessment.policies {
        (policy.title, policy.scope) = (name.to_owned(), name.to_owned());
        (policy.source, policy.publisher) = (name.to_owned(), name.to_owned());
        for milestone in &mut policy.milestones {
            milestone.text = name.to_owned();
        }
    }
    assessment.policies[0].id = name.to_owned();
    assessment.matrix.policies[0] = name.to_owned();
    for finding in &mut assessment.findings {
        (finding.id, finding.title) = (name.to_owned(), name.to_owned());
        finding.subject.name = name.to_owned();
        for evidence in &mut finding.evidence {
            evidence.text = name.to_owned();
            evidence.location = Some(Location {
                path: name.to_owned(),
                line: Some(1),
                entry: Some(name.to_owned()),
            });
        }
        for verdict in &mut finding.verdicts {
            if verdict.policy == old {
                verdict.policy = name.to_owned();
            }
            (verdict.rule, verdict.text) = (name.to_owned(), name.to_owned());
            verdict.clause = Some(name.to_owned());
        }
        if let Some(remedy) = &mut finding.remedy {
            remedy.summary = name.to_owned();
            remedy.steps = vec![name.to_owned()];
            for edit in &mut remedy.edits {
                (edit.new, edit.context) = (name.to_owned(), name.to_owned());
                edit.old = Some(name.to_owned());
            }
        }
    }
    for risk in &mut assessment.risks {
        (risk.subject.name, risk.curve) = (name.to_owned(), name.to_owned());
    }
    for one in &mut assessment.not_observed {
        (one.subject.name, one.question) = (name.to_owned(), name.to_owned());
        one.reason = name.to_owned();
    }
    for one in &mut assessment.conflicts {
        one.text = name.to_owned();
    }
    (assessment, estate.endpoints)
}

#[test]
fn names_of_others_stay_text() {
    let plain = page();
    let elements = |html: &str| {
        let document = document(html);
        let mut names: Vec<String> = document
            .descendants()
            .filter(roxmltree::Node::is_element)
            .map(|node| node.tag_name().name().to_owned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let known = elements(&plain);
    for name in HOSTILE {
        let (assessment, endpoints) = with_names(name);
        let html = html(&assessment, &endpoints);
        assert!(
            !html.contains("<script") && !html.contains("<b>x"),
            "{name:?}"
        );
        let hidden = |character: char| {
            (character.is_control() && character != '\n')
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                    | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
        };
        let is_tab_of_a_line = |character: char| character == '\t' && name.contains('\t');
        assert_eq!(
            html.chars()
                .find(|one| hidden(*one) && !is_tab_of_a_line(*one)),
            None,
            "{name:?}"
        );
        for element in elements(&html) {
            assert!(
                known.contains(&element) || element == "wbr",
                "{element} of {name:?}"
            );
        }
    }
}

#[test]
fn invisible_characters_are_shown() {
    let (assessment, endpoints) = with_names("a\u{202e}b");
    let html = html(&assessment, &endpoints);
    assert!(html.contains("a\\u{202e}b"));
}

#[test]
fn an_assessment_stands_behind_the_measurements() {
    let estate = estate::estate();
    let assessment = estate::assessed(&estate, &Profile::default());
    let both = Some((&assessment, estate.endpoints.as_slice()));
    let html = render_html_with(&[synthetic::run(12)], both).unwrap();
    let document = document(&html);
    let at = |part: &str| html.find(part).unwrap_or_else(|| panic!("no {part}"));
    assert!(at("id=\"run1-method\"") < at("id=\"assessment\""));
    let tops = document
        .descendants()
        .filter(|node| node.has_tag_name("h1"));
    assert_eq!(tops.count(), 1);
    let alone = render_html_with(&[synthetic::run(12)], None).unwrap();
    assert!(!alone.contains("assessment-"));
}

#[test]
fn an_assessment_without_policies_and_endpoints_says_so() {
    let estate = audit::Estate::default();
    let assessment = audit::assess(&estate, &[], &Profile::default(), estate::TODAY, None);
    let html = html(&assessment, &[]);
    document(&html);
    for part in [
        "No endpoint was scanned",
        "No policy was applied",
        "Nothing was found that needs",
        "No ordinary client was tried",
    ] {
        assert!(html.contains(part), "{part}");
    }
}
