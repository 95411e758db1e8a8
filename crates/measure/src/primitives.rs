//! Cryptographic operations alone.

use experiment::{Metric, Primitive, Subject};
use pki::Cache;
use stack::StackError;
use stack::primitives::{Operation, prepare};

use crate::visit::{Value, Visit, VisitError};

/// Operations counted in one visit, after one that is not.
const COUNTED: usize = 3;

pub(crate) struct PrimitiveVisit {
    subject: Subject,
    operation: Operation,
}

impl PrimitiveVisit {
    pub(crate) fn new(primitive: &Primitive, cache: &Cache) -> Result<Self, StackError> {
        Ok(Self {
            subject: Subject::Primitive(primitive.clone()),
            operation: prepare(&primitive.provider, primitive.operation, cache)?,
        })
    }
}

impl Visit for PrimitiveVisit {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn visit(&mut self, values: &mut Vec<Value>) -> Result<(), VisitError> {
        (self.operation)()?;
        for _ in 0..COUNTED {
            values.push(Value::time(Metric::Operation, (self.operation)()?));
        }
        Ok(())
    }
}
