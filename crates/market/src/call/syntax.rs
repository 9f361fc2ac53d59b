//! Which templates are admitted, decided on their syntax tree: what is not listed here is refused, so a
//! new construct of the engine is refused too until someone thinks about it. Renders nothing.
//!
//! Left out on purpose: assignments, macros, blocks, includes, calls and arithmetic. Without them a
//! rendering cannot grow a value, so fuel and the output's bound are enough.

use minijinja::machinery::ast::{BinOpKind, CallArg, Expr, ForLoop, Stmt};
use minijinja::machinery::{WhitespaceConfig, parse};

use super::{Vocabulary, filters};
use crate::Secrets;

/// Deepest nesting of expressions and statements.
const DEPTH_MAX: usize = 32;

/// Tests that a template may use.
const TESTS: &[&str] = &["defined", "undefined", "none"];

/// Notes everything in a template that is not admitted.
pub(super) fn admit(
    source: &str,
    names: &Vocabulary<'_>,
    secrets: &Secrets,
) -> Result<(), Vec<String>> {
    let tree = parse(source, "body", Default::default(), WhitespaceConfig::default())
        .map_err(|error| vec![fault(&error)])?;
    let mut guard = Guard { names, secrets, locals: Vec::new(), depth: 0, faults: Vec::new() };
    guard.statement(&tree);
    guard.faults.dedup();
    if guard.faults.is_empty() { Ok(()) } else { Err(guard.faults) }
}

/// A syntax fault. Quotes the template at most, never a lead.
pub(super) fn fault(error: &minijinja::Error) -> String {
    let line = error.line().unwrap_or(1);
    let what = error.detail().unwrap_or("it cannot be read");
    format!("must be a template: {what} (line {line} of it)")
}

struct Guard<'g, 't> {
    names: &'g Vocabulary<'g>,
    secrets: &'g Secrets,
    locals: Vec<&'t str>,
    depth: usize,
    faults: Vec<String>,
}

impl<'t> Guard<'_, 't> {
    fn refuse(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }

    fn is_too_deep(&mut self) -> bool {
        if self.depth > DEPTH_MAX {
            self.refuse(format!("must not be nested deeper than {DEPTH_MAX}"));
        }
        self.depth > DEPTH_MAX
    }

    fn statements(&mut self, statements: &[Stmt<'t>]) {
        self.depth += 1;
        if !self.is_too_deep() {
            statements.iter().for_each(|statement| self.statement(statement));
        }
        self.depth -= 1;
    }

    fn statement(&mut self, statement: &Stmt<'t>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => self.expression(&emit.expr),
            Stmt::IfCond(condition) => {
                self.expression(&condition.expr);
                self.statements(&condition.true_body);
                self.statements(&condition.false_body);
            }
            Stmt::ForLoop(each) => self.for_loop(each),
            _ => self.refuse("may use {{ }}, {% if %} and {% for %} only"),
        }
    }

    fn for_loop(&mut self, each: &ForLoop<'t>) {
        self.expression(&each.iter);
        let outer = self.locals.len();
        match &each.target {
            Expr::Var(variable) => self.local(variable.id),
            Expr::List(list) => {
                for item in &list.items {
                    match item {
                        Expr::Var(variable) => self.local(variable.id),
                        _ => self.refuse("must name what a {% for %} goes through"),
                    }
                }
            }
            _ => self.refuse("must name what a {% for %} goes through"),
        }
        if let Some(filter) = &each.filter_expr {
            self.expression(filter);
        }
        if each.recursive {
            self.refuse("must not have a recursive {% for %}");
        }
        self.locals.push("loop");
        self.statements(&each.body);
        self.locals.truncate(outer);
        self.statements(&each.else_body);
    }

    /// A name of the template's own must not hide one of the call's.
    fn local(&mut self, name: &'t str) {
        if self.names.knows(name) || name == "loop" {
            self.refuse(format!("must not use the name {name} for something else"));
        }
        self.locals.push(name);
    }

    fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr<'t>>)
    where
        't: 'e,
    {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &Expr<'t>) {
        self.depth += 1;
        if !self.is_too_deep() {
            self.admitted(expression);
        }
        self.depth -= 1;
    }

    fn admitted(&mut self, expression: &Expr<'t>) {
        match expression {
            Expr::Const(_) => {}
            Expr::Var(variable) => self.variable(variable.id),
            Expr::GetAttr(get) => {
                self.member(&get.expr, get.name);
                self.expression(&get.expr);
            }
            Expr::GetItem(get) => {
                match (&get.subscript_expr, &get.expr) {
                    (Expr::Const(name), _) => {
                        self.member(&get.expr, name.value.as_str().unwrap_or_default());
                    }
                    (_, Expr::Var(_)) => self.refuse("must name members plainly: a.b or a[\"b\"]"),
                    _ => {}
                }
                self.expressions([&get.expr, &get.subscript_expr]);
            }
            Expr::Slice(slice) => {
                self.expression(&slice.expr);
                self.expressions([&slice.start, &slice.stop, &slice.step].into_iter().flatten());
            }
            Expr::UnaryOp(operator) => self.expression(&operator.expr),
            Expr::BinOp(operator) => {
                self.operator(operator.op);
                self.expressions([&operator.left, &operator.right]);
            }
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                self.expressions(compare.ops.iter().map(|operand| &operand.expr));
            }
            Expr::IfExpr(choice) => {
                self.expressions([&choice.test_expr, &choice.true_expr]);
                self.expressions(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.expressions(&filter.expr);
                let input = filter.expr.as_ref();
                if let Err(why) = filters::check(filter.name, input, &filter.args, self.secrets) {
                    self.refuse(why);
                }
                self.arguments(&filter.args);
            }
            Expr::Test(test) => {
                if !TESTS.contains(&test.name) {
                    self.refuse(format!("may test for {} only", TESTS.join(", ")));
                }
                self.expression(&test.expr);
                self.arguments(&test.args);
            }
            Expr::List(list) => self.expressions(&list.items),
            Expr::Map(map) => {
                self.expressions(&map.keys);
                self.expressions(&map.values);
            }
            Expr::Call(_) => self.refuse("must not call anything"),
        }
    }

    fn operator(&mut self, operator: BinOpKind) {
        use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne, ScAnd, ScOr};
        if !matches!(operator, Eq | Ne | Lt | Lte | Gt | Gte | ScAnd | ScOr | In) {
            self.refuse("must not compute: operators are == != < <= > >= and or not in");
        }
    }

    fn arguments(&mut self, arguments: &[CallArg<'t>]) {
        for argument in arguments {
            match argument {
                CallArg::Pos(value) | CallArg::Kwarg(_, value) => self.expression(value),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    self.refuse("must not spread arguments");
                }
            }
        }
    }

    fn variable(&mut self, name: &str) {
        if !self.locals.contains(&name)
            && let Err(why) = self.names.admit(name)
        {
            self.refuse(why);
        }
    }

    fn member(&mut self, of: &Expr<'t>, name: &str) {
        if let Expr::Var(variable) = of
            && !self.locals.contains(&variable.id)
            && let Err(why) = self.names.admit_member(variable.id, name)
        {
            self.refuse(why);
        }
    }
}
