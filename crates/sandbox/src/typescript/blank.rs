//! Finds in a syntax tree what is only types, and what cannot be blanked.
//!
//! Two dangers are met where they arise. What ended a statement without a semicolon may have been a type, and the next
//! line then reads as going on: see `Edits::ends_open`. And a type may hold a line break where JavaScript allows none,
//! between `)` and `=>` or behind `return`: then the parenthesis moves to the type's other side.

use oxc_ast::ast::{
    AccessorPropertyType, ArrowFunctionExpression, Class, ClassElement, Declaration, Decorator, Expression,
    FormalParameter, Function, MethodDefinition, MethodDefinitionType, PropertyDefinition,
    PropertyDefinitionType, PropertyKey, Statement, TSAsExpression, TSClassImplements, TSNonNullExpression,
    TSSatisfiesExpression, TSTypeAnnotation, TSTypeAssertion, TSTypeParameterDeclaration,
    TSTypeParameterInstantiation, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};
use oxc_syntax::scope::ScopeFlags;

use super::after_trivia;
use super::edits::Edits;

/// Words before the name of a class element that are only types.
const MODIFIERS: &[&str] = &["public", "private", "protected", "readonly", "override", "abstract", "declare"];

const ENUM: &str = "An enum makes code and is not supported: use an object, with 'as const'";
const NAMESPACE: &str = "A namespace is not supported: use an object";
const PARAMETER_PROPERTY: &str =
    "A parameter property makes code and is not supported: declare the property and assign it";
const DECORATOR: &str = "Decorators are not supported";
const IMPORT_EQUALS: &str = "'import … =' is not supported: use 'const … = require(…)'";
const ASSERTION: &str = "A type assertion in angle brackets is not supported: write 'value as Type'";

/// A walk through one program.
pub(super) struct Blanker<'s> {
    pub(super) source: &'s str,
    pub(super) edits: Edits,
    /// What is exported: the name outside, the name inside.
    pub(super) exports: Vec<(String, String)>,
    refused: Option<(u32, &'static str)>,
}

impl<'s> Blanker<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, edits: Edits::default(), exports: Vec::new(), refused: None }
    }

    /// The JavaScript; or the first thing that there is none for, with its offset.
    pub(super) fn finish(self) -> Result<String, (u32, &'static str)> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let mut result = self.edits.apply(self.source);
        super::modules::append_exports(&mut result, &self.exports);
        Ok(result)
    }

    pub(super) fn refuse(&mut self, span: Span, why: &'static str) {
        if self.refused.is_none_or(|(offset, _)| span.start < offset) {
            self.refused = Some((span.start, why));
        }
    }

    pub(super) fn blank_statement(&mut self, span: Span) {
        self.edits.blank_to_semicolon(span.start, span.end);
    }

    /// A declaration, with what stands before it (`whole`). False if nothing of it is left.
    pub(super) fn declaration(&mut self, declaration: &Declaration<'_>, whole: Span) -> bool {
        let (only_types, refused) = match declaration {
            Declaration::TSTypeAliasDeclaration(_)
            | Declaration::TSInterfaceDeclaration(_)
            | Declaration::TSGlobalDeclaration(_) => (true, None),
            Declaration::VariableDeclaration(found) => (found.declare, None),
            Declaration::FunctionDeclaration(found) => (found.declare || found.body.is_none(), None),
            Declaration::ClassDeclaration(found) => (found.declare, None),
            Declaration::TSEnumDeclaration(found) => (found.declare, Some(ENUM)),
            Declaration::TSModuleDeclaration(found) => (found.declare, Some(NAMESPACE)),
            Declaration::TSImportEqualsDeclaration(found) => {
                (found.import_kind.is_type(), Some(IMPORT_EQUALS))
            }
        };
        if only_types {
            self.blank_statement(whole);
            return false;
        }
        if let Some(why) = refused {
            self.refuse(whole, why);
            return false;
        }
        if matches!(declaration, Declaration::VariableDeclaration(_)) {
            self.note_end(whole);
        }
        true
    }

    /// Notes a statement that has no semicolon.
    fn note_end(&mut self, span: Span) {
        if !self.source.get(..span.end as usize).is_some_and(|text| text.ends_with(';')) {
            self.edits.ends_open(span.end);
        }
    }

    fn starts_with(&self, at: u32, text: &str) -> bool {
        self.source.get(at as usize..).is_some_and(|rest| rest.starts_with(text))
    }

    fn has_line_break(&self, start: u32, end: u32) -> bool {
        let text = self.source.get(start as usize..end as usize).unwrap_or_default();
        text.contains(['\n', '\r', '\u{2028}', '\u{2029}'])
    }

    /// Blanks what stands between a name and its initializer: `?`, `!` and the type.
    fn blank_after_name(&mut self, name_end: u32, annotation: Option<&TSTypeAnnotation<'_>>, marked: bool) {
        if let Some(annotation) = annotation {
            self.edits.blank(name_end, annotation.span.end);
        } else if marked {
            let mark = after_trivia(self.source, name_end);
            self.edits.blank(mark, mark + 1);
        }
    }

    /// Blanks the modifiers of a class element, up to its name. A semicolon in the place of the first one keeps a name
    /// such as `[x]` from continuing the element before.
    fn blank_modifiers(&mut self, element: Span, name: Span) {
        let mut at = element.start;
        while at < name.start {
            at = after_trivia(self.source, at);
            let rest = self.source.get(at as usize..name.start as usize).unwrap_or_default();
            let word: usize = rest.chars().take_while(char::is_ascii_lowercase).map(char::len_utf8).sum();
            let end = at + u32::try_from(word.max(1)).unwrap_or(1);
            if MODIFIERS.contains(&&rest[..word]) {
                if at == element.start {
                    self.edits.blank_to_semicolon(at, end);
                } else {
                    self.edits.blank(at, end);
                }
            }
            at = end;
        }
    }

    /// Where the name of a class element ends, with the bracket of a computed one.
    fn name_end(&self, key: &PropertyKey<'_>, computed: bool) -> u32 {
        let end = key.span().end;
        if computed { after_trivia(self.source, end) + 1 } else { end }
    }

    fn blank_implements(&mut self, class: &Class<'_>) {
        let Some(last) = class.implements.last() else { return };
        let before = [
            class.id.as_ref().map(|id| id.span.end),
            class.type_parameters.as_ref().map(|parameters| parameters.span.end),
            class.super_class.as_ref().map(|parent| parent.span().end),
            class.super_type_arguments.as_ref().map(|arguments| arguments.span.end),
        ];
        let start = before.into_iter().flatten().max().unwrap_or_else(|| {
            let class_word = if class.r#abstract {
                after_trivia(self.source, class.span.start + len("abstract"))
            } else {
                class.span.start
            };
            class_word + len("class")
        });
        self.edits.blank(start, last.span.end);
    }
}

fn len(word: &str) -> u32 {
    u32::try_from(word.len()).unwrap_or(0)
}

impl<'a> Visit<'a> for Blanker<'_> {
    fn visit_statement(&mut self, it: &Statement<'a>) {
        if let Some(module) = it.as_module_declaration() {
            self.module_declaration(module);
            return;
        }
        if let Some(declaration) = it.as_declaration() {
            if self.declaration(declaration, it.span()) {
                walk::walk_declaration(self, declaration);
            }
            return;
        }
        if matches!(
            it,
            Statement::ExpressionStatement(_) | Statement::ReturnStatement(_) | Statement::ThrowStatement(_)
        ) {
            self.note_end(it.span());
        }
        walk::walk_statement(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(this) = &it.this_param {
            let next = it.params.items.first().map(|first| first.span.start);
            let next = next.or_else(|| it.params.rest.as_ref().map(|rest| rest.span.start));
            let behind = after_trivia(self.source, this.span.end);
            let comma = if self.starts_with(behind, ",") { behind + 1 } else { this.span.end };
            self.edits.blank(this.span.start, next.unwrap_or(comma));
        }
        if let Some(parameters) = &it.type_parameters {
            self.visit_ts_type_parameter_declaration(parameters);
        }
        self.visit_formal_parameters(&it.params);
        if let Some(annotation) = &it.return_type {
            self.visit_ts_type_annotation(annotation);
        }
        if let Some(body) = &it.body {
            self.visit_function_body(body);
        }
        let _ = flags;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        let parentheses = it.params.span;
        if let Some(parameters) = &it.type_parameters {
            if self.has_line_break(parameters.span.start, parentheses.start) {
                self.edits.blank_behind('(', parameters.span.start, parameters.span.end);
                self.edits.blank(parentheses.start, parentheses.start + 1);
            } else {
                self.visit_ts_type_parameter_declaration(parameters);
            }
        }
        self.visit_formal_parameters(&it.params);
        if let Some(annotation) = &it.return_type {
            if self.has_line_break(parentheses.end, annotation.span.end) {
                self.edits.blank(parentheses.end - 1, parentheses.end);
                self.edits.blank_before(')', annotation.span.start, annotation.span.end);
            } else {
                self.visit_ts_type_annotation(annotation);
            }
        }
        match it.body.statements.first() {
            // Not a statement of its own: it ends before what follows the arrow function.
            Some(Statement::ExpressionStatement(body)) if it.expression => {
                self.visit_expression(&body.expression)
            }
            _ => self.visit_function_body(&it.body),
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse(it.span, PARAMETER_PROPERTY);
        }
        self.visit_decorators(&it.decorators);
        self.visit_binding_pattern(&it.pattern);
        self.blank_after_name(it.pattern.span().end, it.type_annotation.as_deref(), it.optional);
        if let Some(initializer) = &it.initializer {
            self.visit_expression(initializer);
        }
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.visit_binding_pattern(&it.id);
        self.blank_after_name(it.id.span().end, it.type_annotation.as_deref(), it.definite);
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.r#abstract {
            self.edits.blank(it.span.start, it.span.start + len("abstract"));
        }
        self.blank_implements(it);
        walk::walk_class(self, it);
    }

    /// Blanked as a whole with its class.
    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}

    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        let only_types = match it {
            ClassElement::TSIndexSignature(_) => true,
            ClassElement::MethodDefinition(method) => {
                method.r#type == MethodDefinitionType::TSAbstractMethodDefinition
                    || method.value.body.is_none()
            }
            ClassElement::PropertyDefinition(property) => {
                property.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition || property.declare
            }
            ClassElement::AccessorProperty(property) => {
                property.r#type == AccessorPropertyType::TSAbstractAccessorProperty
            }
            ClassElement::StaticBlock(_) => false,
        };
        if only_types {
            self.blank_statement(it.span());
        } else {
            walk::walk_class_element(self, it);
        }
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        self.blank_modifiers(it.span, it.key.span());
        self.blank_after_name(self.name_end(&it.key, it.computed), None, it.optional);
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        self.blank_modifiers(it.span, it.key.span());
        self.note_end(it.span);
        self.visit_decorators(&it.decorators);
        self.visit_property_key(&it.key);
        let name_end = self.name_end(&it.key, it.computed);
        self.blank_after_name(name_end, it.type_annotation.as_deref(), it.optional || it.definite);
        if let Some(value) = &it.value {
            self.visit_expression(value);
        }
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse(it.span, DECORATOR);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.blank_after_expression(&it.expression, it.span);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.blank_after_expression(&it.expression, it.span);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.edits.blank(it.span.end - 1, it.span.end);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.refuse(it.span, ASSERTION);
    }

    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.edits.blank(it.span.start, it.span.end);
    }
}

impl Blanker<'_> {
    fn blank_after_expression(&mut self, expression: &Expression<'_>, whole: Span) {
        self.edits.blank(expression.span().end, whole.end);
    }
}
