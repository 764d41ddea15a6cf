//! Reads the forms of a page: where they go and which fields they hold.

/// A form as a browser would submit it untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Where it goes, as the page writes it.
    pub action: String,
    /// Its named inputs.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The page's first form.
    pub fn first(html: &str) -> Option<Self> {
        Self::at(html, html.find("<form")?)
    }

    /// The form that goes to this path.
    pub fn with_action(html: &str, path: &str) -> Option<Self> {
        let starts = html.match_indices("<form").map(|(start, _)| start);
        starts.filter_map(|start| Self::at(html, start)).find(|form| form.action.starts_with(path))
    }

    fn at(html: &str, start: usize) -> Option<Self> {
        let form = &html[start..start + html[start..].find("</form>")?];
        let action = attribute(&form[..form.find('>')?], "action").unwrap_or_default();
        let inputs = form.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
        let fields = inputs
            .filter_map(|input| {
                Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
            })
            .collect();
        Some(Self { action, fields })
    }

    /// A field's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Fills a field in.
    ///
    /// # Panics
    /// When the form has no such field.
    pub fn set(&mut self, name: &str, value: &str) {
        let field = self.fields.iter_mut().find(|(known, _)| known == name);
        field.unwrap_or_else(|| panic!("the form has no field {name}")).1 = value.to_owned();
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let length = tag[start..].find('"')?;
    Some(unescape(&tag[start..start + length]))
}

fn unescape(text: &str) -> String {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2f;", "/")];
    let text = entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_form_is_read_with_its_fields_and_entities() {
        let html = r#"<p><form method="post" action="/go?a=1&amp;b=2"><input type="hidden" name="x" value="&lt;&amp;">
            <input id="y" name="y" required></form><form action="/other"></form>"#;
        let mut form = Form::first(html).unwrap();
        assert_eq!(form.action, "/go?a=1&b=2");
        assert_eq!((form.get("x"), form.get("y"), form.get("z")), (Some("<&"), Some(""), None));
        form.set("y", "1");
        assert_eq!(form.get("y"), Some("1"));
        assert_eq!(Form::first("<p>no form</p>"), None);
        assert_eq!(Form::with_action(html, "/other").unwrap().fields, []);
        assert_eq!(Form::with_action(html, "/none"), None);
    }
}
