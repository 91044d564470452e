//! Calls of JSON functions that fail whatever the values are: SQLite looks at their arguments only when
//! it runs them.

use super::super::ast::{Call, Expr};
use super::super::catalog::StorageClass;
use super::checks::Must;
use super::{Infer, Mismatch, Ty, Typed};

/// Functions of labels and values by turns.
const OF_LABELS: [&str; 2] = ["json_object", "jsonb_object"];

/// Functions of a JSON, and then of paths and values by turns.
const OF_PATHS: [&str; 8] = [
    "json_array_insert",
    "json_insert",
    "json_replace",
    "json_set",
    "jsonb_array_insert",
    "jsonb_insert",
    "jsonb_replace",
    "jsonb_set",
];

impl Infer<'_> {
    pub(super) fn json_args(&mut self, call: &Call, typed: &[Typed]) {
        let is_one_of = |names: &[&str]| names.iter().any(|name| call.name.is(name));
        let is_odd = !call.args.len().is_multiple_of(2);
        let unpaired = if is_one_of(&OF_LABELS) {
            for (label, typed) in call.args.iter().zip(typed).step_by(2) {
                self.check_label(label, typed.ty);
            }
            is_odd.then_some("label")
        } else if is_one_of(&OF_PATHS) {
            (!is_odd).then_some("path")
        } else {
            None
        };
        if let (Some(what), Some(last)) = (unpaired, call.args.last()) {
            let message = format!("this {what} has no value: write `, ` and a value behind it");
            self.mismatches.push(Mismatch { span: last.span.clone(), message });
        }
    }

    fn check_label(&mut self, label: &Expr, ty: Ty) {
        let found = if ty == Ty::Null { "NULL".to_owned() } else { self.describe(ty) };
        let message = format!(
            "a label is text, and this is {found}: write the text, or `CAST(… AS TEXT)` around it"
        );
        match self.class(ty) {
            Some(StorageClass::Text) => {}
            None if ty != Ty::Null => {
                self.require(&label.span, ty, Must::BeStoredAs(StorageClass::Text), message);
            }
            _ => self.mismatches.push(Mismatch { span: label.span.clone(), message }),
        }
    }
}
