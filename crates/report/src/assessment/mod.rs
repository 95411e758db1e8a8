//! What the page shows of an assessment: the answer first, then what it rests on.

mod answer;
mod clients;
mod deadlines;
mod due;
mod findings;
mod matrix;
mod readiness;
mod tables;
mod words;

use audit::{Assessment, Endpoint};
use serde::Serialize;

use crate::answer::Finding as Sentence;
use crate::figure::Table;
use crate::page::FigurePage;

use clients::ClientsPage;
use findings::SeverityPage;
use matrix::MatrixPage;

/// An assessment as the template sees it.
#[derive(Debug, Serialize)]
pub(crate) struct AssessmentPage {
    /// The day, and how much was looked at.
    line: String,
    answers: Vec<Sentence>,
    deadlines: Option<FigurePage>,
    clients: Option<ClientsPage>,
    matrices: Vec<MatrixPage>,
    conflicts: Vec<String>,
    severities: Vec<SeverityPage>,
    risks: Option<Table>,
    assumptions: Vec<String>,
    not_known: Option<Table>,
    policies: Option<Table>,
    milestones: Option<Table>,
}

impl AssessmentPage {
    pub(crate) fn new(assessment: &Assessment, endpoints: &[Endpoint]) -> Self {
        let deadlines = deadlines::figure(assessment).map(|figure| {
            let anchor = "assessment-deadlines".to_owned();
            FigurePage::new("What has to change by when?", &figure, anchor)
        });
        Self {
            line: format!(
                "Judged for {}: {}, {} and {}",
                assessment.at,
                words::count(endpoints.len(), "endpoint address", "endpoint addresses"),
                words::count(assessment.policies.len(), "policy", "policies"),
                words::count(assessment.findings.len(), "finding", "findings"),
            ),
            answers: answer::sentences(assessment, endpoints),
            deadlines,
            clients: ClientsPage::new(endpoints),
            matrices: matrix::matrices(assessment),
            conflicts: assessment
                .conflicts
                .iter()
                .map(|conflict| conflict.text.clone())
                .collect(),
            severities: findings::by_severity(assessment),
            risks: tables::risks(assessment),
            assumptions: tables::assumptions(assessment),
            not_known: tables::not_known(assessment),
            policies: tables::policies(assessment),
            milestones: tables::milestones(assessment),
        }
    }
}

#[cfg(test)]
mod tests;
