//! Words of our own enums for the command line: what may be said shows in `--help` and in errors.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};

use crate::{capture::out::Form, export::Format, model::Policy, wire::read_as::ReadAs};

/// `ask`, `adopt` or `strict`.
pub(super) fn policy() -> impl TypedValueParser<Value = Policy> {
    PossibleValuesParser::new(Policy::ALL.map(Policy::as_str))
        .map(|word| Policy::parse(&word).expect("only words of policies are let through"))
}

/// The word of an export format.
pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::as_str))
        .map(|word| Format::parse(&word).expect("only words of formats are let through"))
}

/// The word of a form of captures.
pub(super) fn form() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::as_str))
        .map(|word| Form::parse(&word).expect("only words of forms are let through"))
}

/// What bytes may be read as.
pub(super) fn read_as() -> impl TypedValueParser<Value = ReadAs> {
    NonEmptyStringValueParser::new().try_map(|word| {
        ReadAs::parse(&word).ok_or_else(|| {
            let words: Vec<_> = ReadAs::words().collect();
            format!("it is none of {}, nor the title of a layout (--explain names them)", words.join(", "))
        })
    })
}
