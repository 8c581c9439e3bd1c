//! List commands: options to a query, its answer to a table.

use gannet_core::luxi::Method;
use gannet_core::query::format::{self, Outcome as Found, Unit};
use gannet_core::query::{Filter, QueryFieldsResponse, QueryResponse, Resource, field, parse_fields};
use serde_json::{Value, json};

use crate::context::{Context, Outcome};
use crate::exit::{FAILURE, Failure, SUCCESS, UNKNOWN_FIELD};
use crate::time;

/// `gnt-* list`: the rows that the arguments name, with the fields of `-o`.
///
/// # Errors
/// A mistake in the filter, or the master refused.
pub fn list(context: &mut Context<'_>, resource: Resource) -> Outcome {
    list_with(context, resource, Filter::Empty, &[])
}

/// The same with a further condition, and with fields that are added to the default ones.
///
/// # Errors
/// As [`list`].
pub fn list_with(context: &mut Context<'_>, resource: Resource, condition: Filter, more: &[&str]) -> Outcome {
    let mut fields = parse_fields(context.args.text("output"), field::default_fields(resource));
    for &name in more {
        if !fields.iter().any(|field| field == name) {
            fields.push(name.to_owned());
        }
    }
    let filter = condition.and(filter_of_arguments(context, resource)?);
    let response = query(context, resource, &fields, &filter)?;
    print(context, resource, &response)
}

/// The rows of a resource as the master answers them.
///
/// # Errors
/// The master refused, or its answer has another shape.
pub fn query(context: &mut Context<'_>, resource: Resource, fields: &[String], filter: &Filter) -> Result<QueryResponse, Failure> {
    let answer = context.call(Method::Query, &json!([resource, fields, Value::from(filter)]))?;
    serde_json::from_value(answer).map_err(bad_answer)
}

/// Plain rows (values without their status) of the objects with these names, or of all.
///
/// # Errors
/// As [`query`].
pub fn rows(context: &mut Context<'_>, resource: Resource, fields: &[&str], filter: &Filter) -> Result<Vec<Vec<Value>>, Failure> {
    let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
    let response = query(context, resource, &fields, filter)?;
    Ok(response.data.into_iter().map(|row| row.into_iter().map(|entry| entry.value).collect()).collect())
}

/// `gnt-* list-fields`.
///
/// # Errors
/// The master refused.
pub fn list_fields(context: &mut Context<'_>, resource: Resource) -> Outcome {
    let names = context.args.positional().to_vec();
    let answer = context.call(Method::QueryFields, &json!([resource, if names.is_empty() { Value::Null } else { json!(names) }]))?;
    let response: QueryFieldsResponse = serde_json::from_value(answer).map_err(bad_answer)?;
    let (header, separator) = (header(context), separator(context));
    if let Some(warning) = format::unknown_fields_warning(response.unknown_fields()) {
        context.io.note(warning);
    }
    for line in format::fields(&response, header, separator.as_deref()) {
        context.io.line(line);
    }
    Ok(if response.unknown_fields().next().is_some() { UNKNOWN_FIELD } else { SUCCESS })
}

/// Prints an answer as the options want it.
///
/// # Errors
/// `--units` makes no sense; clap excludes that.
pub fn print(context: &mut Context<'_>, resource: Resource, response: &QueryResponse) -> Outcome {
    let separator = separator(context);
    let options = format::Options {
        unit: unit(context)?,
        separator: separator.as_deref(),
        header: header(context),
        verbose: context.args.flag("verbose"),
        time: &time::date_time,
    };
    let (found, lines) = format::query(resource, response, &options);
    if let Some(warning) = format::unknown_fields_warning(response.unknown_fields()) {
        context.io.note(warning);
    }
    for line in lines {
        context.io.line(line);
    }
    Ok(if found == Found::UnknownField { UNKNOWN_FIELD } else { SUCCESS })
}

/// Prints rows of text that no query answered.
pub fn print_rows(context: &mut Context<'_>, columns: &[format::Column], rows: &[Vec<String>]) {
    let separator = separator(context);
    for line in format::table(columns, rows, header(context), separator.as_deref()) {
        context.io.line(line);
    }
}

/// The unit of `--units`, or the one that fits the kind of output.
///
/// # Errors
/// It is no unit.
pub fn unit(context: &Context<'_>) -> Result<Option<Unit>, Failure> {
    context.args.text("units").map(str::parse).transpose().map_err(|error: format::ParseUnitError| Failure::BadOption(error.to_string()))
}

fn header(context: &Context<'_>) -> bool {
    !context.args.flag("no-headers")
}

fn separator(context: &Context<'_>) -> Option<String> {
    context.args.text("separator").map(str::to_owned)
}

fn filter_of_arguments(context: &mut Context<'_>, resource: Resource) -> Result<Filter, Failure> {
    let (force, numeric) = (context.args.flag("filter"), resource.has_numeric_names());
    let made = gannet_core::query::filter::make_filter(context.args.positional(), force, resource.name_field(), numeric);
    made.map_err(|error| {
        use gannet_core::query::filter::ArgumentError;
        match error {
            ArgumentError::Filter(error) => {
                context.io.note(format_args!("Error while parsing query filter: {error}"));
                for line in error.details() {
                    context.io.note(format_args!("  {line}"));
                }
                Failure::Silent(FAILURE)
            }
            other => Failure::invalid(other.to_string()),
        }
    })
}

fn bad_answer(error: serde_json::Error) -> Failure {
    Failure::Luxi(gannet_core::luxi::Error::Protocol(error.to_string()))
}
