//! Bodies in a buyer's own shape: minijinja templates, admitted by their syntax tree and compiled when
//! the market is read. A template describes a shape; it must never compute, call, assign or load
//! anything, and it is bounded in length, steps, output and time.
//!
//! What a template may hold: `{{ … }}`, `{% if %}`, `{% for x in … %}` (with `loop`), comparisons,
//! `and`, `or`, `not`, `in`, `a if b else c`, the tests `defined`, `undefined` and `none`, and the
//! filters of [`super::filters`]. Names are those of the call's own shape and no others. A name that a
//! lead lacks ends the rendering: `default("…")` and `is defined` say what to do instead.
//!
//! Every value is escaped for the call's format: there is no way around it.

use std::fmt;
use std::sync::Arc;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::escape::{self, Sink};
use super::{Format, Vocabulary, filters, syntax};
use crate::Secrets;

/// Longest template, in bytes.
const TEMPLATE_BYTES_MAX: usize = 32 * 1_024;

/// Most that a template may make, in bytes: of a body, and of a query.
pub const BODY_BYTES_MAX: usize = 64 * 1_024;
/// See [`BODY_BYTES_MAX`].
pub const QUERY_BYTES_MAX: usize = 8 * 1_024;

/// Most steps of one rendering.
const FUEL: u64 = 10_000;

/// Deepest nesting while rendering.
const RECURSION_MAX: usize = 32;

/// The only template of its environment.
const NAME: &str = "body";

/// A compiled body.
#[derive(Clone)]
pub struct Template {
    source: Arc<str>,
    format: Format,
    environment: Arc<Environment<'static>>,
}

/// A lead that does not fit a template. Says nothing of the lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit;

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the lead lacks something that the call needs, or is too large for it")
    }
}

impl std::error::Error for Misfit {}

impl Template {
    /// Admits and compiles a template.
    ///
    /// # Errors
    /// What in it is not admitted, each a sentence part that follows the field's name.
    pub fn compile(
        source: &str,
        format: Format,
        names: &Vocabulary<'_>,
        secrets: &Secrets,
    ) -> Result<Self, Vec<String>> {
        if source.len() > TEMPLATE_BYTES_MAX || source.contains('\0') {
            let most = TEMPLATE_BYTES_MAX;
            return Err(vec![format!("must be at most {most} bytes without U+0000")]);
        }
        syntax::admit(source, names, secrets)?;
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(escape::formatter(format));
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_MAX);
        filters::add(&mut environment, secrets);
        environment
            .add_template_owned(NAME, source.to_owned())
            .map_err(|fault| vec![syntax::fault(&fault)])?;
        Ok(Self { source: source.into(), format, environment: Arc::new(environment) })
    }

    /// The text for a lead: `values` serialises to an object of the names that the template was
    /// admitted with.
    ///
    /// # Errors
    /// A value is missing or of a shape that the format cannot hold, or a bound is passed.
    pub fn render(&self, values: &impl Serialize) -> Result<String, Misfit> {
        let template = self.environment.get_template(NAME).map_err(|_| Misfit)?;
        let mut sink = Sink::new(self.format);
        template.render_captured_to(values, &mut sink).map_err(|_| Misfit)?;
        sink.finish().ok_or(Misfit)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.format == other.format
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("format", &self.format).finish_non_exhaustive()
    }
}
