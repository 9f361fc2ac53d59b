//! A publisher's specification as one page: blocks first, then Markdown or HTML of the same blocks.

use std::fmt::Write;

use serde_json::Value;

use super::{Purpose, Spec};

/// What a page is made of.
enum Block {
    Heading(u8, String),
    Text(String),
    List(Vec<String>),
    /// The first row is its head; cells of the columns named are code.
    Table(Vec<Vec<String>>, &'static [usize]),
    Code(String),
}

/// The page as Markdown; `base` is where the public listener is reached, as in `https://leads.example`.
#[must_use]
pub fn markdown(name: &str, base: &str, specs: &[Spec]) -> String {
    let mut out = String::new();
    for block in page(name, base, specs) {
        block.write_markdown(&mut out);
        out.push('\n');
    }
    out
}

/// The page as one HTML file that needs nothing else.
#[must_use]
pub fn html(name: &str, base: &str, specs: &[Spec]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<style>{STYLE}</style></head><body>\n",
        escape(&title(name))
    );
    for block in page(name, base, specs) {
        block.write_html(&mut out);
        out.push('\n');
    }
    out.push_str("</body></html>\n");
    out
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.3rem .6rem;\
    text-align:left;vertical-align:top}code,pre{font:14px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}\
    pre{background:#f4f4f4;padding:1rem;overflow-x:auto}";

fn title(name: &str) -> String {
    format!("Posting leads: {name}")
}

fn page(name: &str, base: &str, specs: &[Spec]) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(1, title(name))];
    if specs.is_empty() {
        blocks.push(Block::Text("There is nothing that may be posted.".to_owned()));
    }
    specs.iter().for_each(|spec| request(&mut blocks, base, spec));
    blocks
}

fn request(blocks: &mut Vec<Block>, base: &str, spec: &Spec) {
    let base = base.trim_end_matches('/');
    let url = format!("{base}{}", spec.path);
    blocks.push(Block::Heading(2, spec.title.clone()));
    blocks.push(Block::Code(format!("{} {url}", spec.method)));
    if !spec.notes.is_empty() {
        blocks.push(Block::List(spec.notes.clone()));
    }
    let mut headers = vec![row(["header", "value"])];
    headers.extend(spec.headers.iter().map(|(name, value)| row([name, value])));
    if spec.purpose == Purpose::Lead {
        let again = "optional: the same key again gets the first answer";
        headers.push(row(["idempotency-key", again]));
    }
    if spec.purpose != Purpose::Read {
        headers.push(row(["gavel-budget-ms", "optional: answer within so many milliseconds"]));
    }
    blocks.push(Block::Table(headers, &[0]));
    if !spec.fields.is_empty() {
        let what = if spec.has_body() { "Fields" } else { "Query" };
        blocks.push(Block::Heading(3, what.to_owned()));
        let mut fields = vec![row(["field", "required", "type", ""])];
        fields.extend(spec.fields.iter().map(|field| {
            let required = if field.required { "yes" } else { "" };
            row([&field.name(), required, &field.kind, &field.about])
        }));
        blocks.push(Block::Table(fields, &[0]));
    }
    blocks.push(Block::Heading(3, "Sample request".to_owned()));
    blocks.push(Block::Code(curl(base, spec)));
    blocks.push(Block::Heading(3, "Answers".to_owned()));
    let mut answers = vec![row(["when", "HTTP", "body"])];
    answers.extend(
        spec.answers
            .iter()
            .map(|answer| row([&answer.when, answer.status.as_str(), &answer.body.to_string()])),
    );
    blocks.push(Block::Table(answers, &[2]));
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// The sample request for a shell.
fn curl(base: &str, spec: &Spec) -> String {
    let mut out = format!("curl -s {}", quoted(&format!("{base}{}", spec.target())));
    for (name, value) in &spec.headers {
        let header = quoted(&format!("{name}: {value}"));
        out.extend([" \\\n  -H ", header.as_str()]);
    }
    if spec.has_body() {
        let body = pretty(&spec.sample());
        out.extend([" \\\n  -d ", quoted(&body).as_str()]);
    } else if spec.method != "GET" {
        out.extend([" \\\n  -X ", spec.method]);
    }
    out
}

fn pretty(body: &Value) -> String {
    serde_json::to_string_pretty(body).unwrap_or_default()
}

/// Nothing in it means anything to a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Block {
    fn write_markdown(&self, out: &mut String) {
        match self {
            Self::Heading(level, text) => {
                out.extend((0..*level).map(|_| '#'));
                out.extend([" ", &line(text), "\n"]);
            }
            Self::Text(text) => out.extend([line(text).as_str(), "\n"]),
            Self::List(items) => {
                items.iter().for_each(|item| out.extend(["- ", &line(item), "\n"]))
            }
            Self::Code(text) => out.extend(["```\n", text, "\n```\n"]),
            Self::Table(rows, code) => {
                for (number, cells) in rows.iter().enumerate() {
                    for (column, cell) in cells.iter().enumerate() {
                        let is_code = number > 0 && code.contains(&column);
                        let cell = line(cell).replace('|', "\\|");
                        out.extend(["| ", &if is_code { format!("`{cell}`") } else { cell }, " "]);
                    }
                    out.push_str("|\n");
                    if number == 0 {
                        out.extend(cells.iter().map(|_| "|---"));
                        out.push_str("|\n");
                    }
                }
            }
        }
    }

    fn write_html(&self, out: &mut String) {
        match self {
            Self::Heading(level, text) => tag(out, &format!("h{level}"), &escape(text)),
            Self::Text(text) => tag(out, "p", &escape(text)),
            Self::List(items) => {
                let items: String =
                    items.iter().map(|it| format!("<li>{}</li>", escape(it))).collect();
                tag(out, "ul", &items);
            }
            Self::Code(text) => tag(out, "pre", &escape(text)),
            Self::Table(rows, code) => {
                let mut inner = String::new();
                for (number, cells) in rows.iter().enumerate() {
                    let mut row = String::new();
                    for (column, cell) in cells.iter().enumerate() {
                        let is_code = number > 0 && code.contains(&column);
                        let text = escape(cell);
                        let text = if is_code { format!("<code>{text}</code>") } else { text };
                        tag(&mut row, if number == 0 { "th" } else { "td" }, &text);
                    }
                    tag(&mut inner, "tr", &row);
                }
                tag(out, "table", &inner);
            }
        }
    }
}

fn tag(out: &mut String, name: &str, inner: &str) {
    // Writing to a string cannot fail.
    write!(out, "<{name}>{inner}</{name}>").unwrap_or_default();
}

/// One line, whatever a market's names hold.
fn line(text: &str) -> String {
    text.split(['\r', '\n']).collect::<Vec<_>>().join(" ")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
