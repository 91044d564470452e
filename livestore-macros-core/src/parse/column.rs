//! `#[column(..)]` on a table's field.

use proc_macro2::Ident;
use quote::format_ident;
use syn::{Attribute, Expr, Field, LitStr, Type, Visibility};

use crate::case;
use crate::ctxt::Ctxt;
use crate::keys::{Key, KeyValue, each_attribute_key};
use crate::parse::names;
use crate::suggest;
use crate::types;

const KEYS: [&str; 9] = [
    "primary_key",
    "default",
    "index",
    "unique",
    "search",
    "name",
    "check",
    "references",
    "on_delete",
];

/// A column: a field of a table.
pub(crate) struct ColumnField {
    pub(crate) ident: Ident,
    /// The associated constant that stands for the column in queries.
    pub(crate) constant: Ident,
    pub(crate) vis: Visibility,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) ty: Type,
    pub(crate) name: String,
    pub(crate) default: Option<Expr>,
    pub(crate) check: Option<LitStr>,
    /// Whether its texts are searched.
    pub(crate) is_searched: bool,
    pub(crate) reference: Option<ForeignKey>,
}

/// A foreign key.
pub(crate) struct ForeignKey {
    pub(crate) target: Expr,
    pub(crate) on_delete: Option<OnDelete>,
}

/// The action on a row when the row that it references is deleted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum OnDelete {
    Cascade,
    SetNull,
    Restrict,
}

/// The keys of `#[column(..)]` that concern the whole table.
#[derive(Default)]
pub(crate) struct ColumnKeys {
    pub(crate) primary_key: KeyValue<Ident>,
    pub(crate) index: KeyValue<IndexKey>,
    pub(crate) unique: KeyValue<IndexKey>,
    /// Whether a key could not be read: it may have been any of these.
    pub(crate) is_unclear: bool,
}

/// `index`, or `index = "name"`.
pub(crate) struct IndexKey {
    pub(crate) name: Option<LitStr>,
}

/// The keys of `#[column(..)]` that concern the column alone.
#[derive(Default)]
struct OwnKeys {
    name: KeyValue<LitStr>,
    default: KeyValue<Expr>,
    check: KeyValue<LitStr>,
    search: KeyValue<Ident>,
    references: KeyValue<Expr>,
    on_delete: KeyValue<(Ident, OnDelete)>,
}

impl ColumnField {
    pub(crate) fn parse(ctxt: &Ctxt, ident: &Ident, field: &Field) -> (Self, ColumnKeys) {
        check_always_there(ctxt, field);
        let (mut own, mut table_wide) = (OwnKeys::default(), ColumnKeys::default());
        each_attribute_key(ctxt, &field.attrs, "column", |key| {
            let result = table_wide.read(key).unwrap_or_else(|| own.read(key));
            table_wide.is_unclear |= result.is_err();
            result
        });
        let ty = types::ungrouped(&field.ty);
        if types::is_nested_option(&ty) {
            ctxt.error(&ty, "a column is null or not: write one `Option`");
        }
        let column = Self {
            constant: format_ident!(
                "{}",
                case::screaming_snake_case(&names::plain(ident)),
                span = ident.span()
            ),
            ident: ident.clone(),
            vis: field.vis.clone(),
            docs: types::docs(&field.attrs),
            ty: ty.clone(),
            name: column_name(ctxt, ident, own.name.get()),
            reference: ForeignKey::from_keys(ctxt, &ty, own.references, own.on_delete),
            default: own.default.take(),
            check: own.check.take(),
            is_searched: own.search.is_set(),
        };
        (column, table_wide)
    }

    pub(crate) fn is_nullable(&self) -> bool {
        types::is_option(&self.ty)
    }
}

impl ColumnKeys {
    /// Returns `None` if the key is not one of these.
    fn read(&mut self, key: &Key<'_>) -> Option<syn::Result<()>> {
        match key.name().as_str() {
            "primary_key" => {
                Some(key.flag().and_then(|()| self.primary_key.set(key, key.ident.clone())))
            }
            "index" => Some(IndexKey::read(key).and_then(|index| self.index.set(key, index))),
            "unique" => Some(IndexKey::read(key).and_then(|index| self.unique.set(key, index))),
            _ => None,
        }
    }
}

impl OwnKeys {
    fn read(&mut self, key: &Key<'_>) -> syn::Result<()> {
        match key.name().as_str() {
            "name" => self.name.set(key, key.string()?),
            "default" => {
                let value = key.value("default = value")?;
                check_constant(&value)?;
                self.default.set(key, value)
            }
            "check" => self.check.set(key, key.string()?),
            "search" => key.flag().and_then(|()| self.search.set(key, key.ident.clone())),
            "references" => {
                let target = key.value("references = Table::COLUMN")?;
                let is_column = check_target(&target);
                self.references.set(key, target)?;
                is_column
            }
            "on_delete" => {
                let action: Ident = key.value("on_delete = cascade")?;
                self.on_delete.set(key, (key.ident.clone(), OnDelete::parse(&action)?))
            }
            _ => Err(key.unknown("column", &KEYS)),
        }
    }
}

impl IndexKey {
    fn read(key: &Key<'_>) -> syn::Result<Self> {
        if key.has_list() {
            let message = format!(
                "an index over several columns goes on the struct: write `#[table({}(a, b))]`",
                key.ident
            );
            return Err(syn::Error::new_spanned(&key.ident, message));
        }
        let name = if key.has_value() { Some(key.string()?) } else { None };
        Ok(Self { name })
    }
}

impl ForeignKey {
    fn from_keys(
        ctxt: &Ctxt,
        ty: &Type,
        references: KeyValue<Expr>,
        on_delete: KeyValue<(Ident, OnDelete)>,
    ) -> Option<Self> {
        let on_delete = on_delete.take();
        let Some(target) = references.take() else {
            if let Some((key, _)) = on_delete {
                let message =
                    "`on_delete` needs a reference: write `references = Table::COLUMN` beside it";
                ctxt.error(key, message);
            }
            return None;
        };
        if let Some((key, OnDelete::SetNull)) = &on_delete
            && !types::is_option(ty)
        {
            ctxt.error(
                key,
                "`set_null` needs a column that may be null: make the field an `Option`",
            );
        }
        Some(Self { target, on_delete: on_delete.map(|(_, action)| action) })
    }
}

impl OnDelete {
    fn parse(action: &Ident) -> syn::Result<Self> {
        match action.to_string().as_str() {
            "cascade" => Ok(Self::Cascade),
            "set_null" => Ok(Self::SetNull),
            "restrict" => Ok(Self::Restrict),
            other => {
                let hint = suggest::hint(other, &["cascade", "set_null", "restrict"]);
                let message = format!("unknown action `{other}`{hint}");
                Err(syn::Error::new_spanned(action, message))
            }
        }
    }
}

/// Refuses the values that are best known for being different each time; the compiler refuses the rest,
/// which are not constant.
fn check_constant(value: &Expr) -> syn::Result<()> {
    let Expr::Call(call) = value else { return Ok(()) };
    let Expr::Path(function) = &*call.func else { return Ok(()) };
    let name = function.path.segments.last().map(|last| last.ident.to_string());
    match name.as_deref() {
        Some(name @ ("now" | "new_id" | "new_v4" | "now_v7" | "random")) => {
            let message = format!(
                "a default is the same on every client, and `{name}()` is not: put the value into the event"
            );
            Err(syn::Error::new_spanned(value, message))
        }
        _ => Ok(()),
    }
}

/// Refuses the targets that are not a column, as far as their form shows it.
fn check_target(target: &Expr) -> syn::Result<()> {
    let table = match target {
        Expr::Path(path) => {
            let last = path.path.segments.last().map(|last| names::plain(&last.ident));
            let table = last.filter(|last| last.chars().any(char::is_lowercase));
            table.filter(|_| path.qself.is_none())
        }
        Expr::Lit(_) | Expr::Field(_) | Expr::Call(_) => Some("Table".to_owned()),
        _ => None,
    };
    match table {
        Some(table) => {
            let message = format!(
                "a foreign key refers to a column: write its constant, such as `references = {table}::ID`"
            );
            Err(syn::Error::new_spanned(target, message))
        }
        None => Ok(()),
    }
}

fn column_name(ctxt: &Ctxt, ident: &Ident, given: Option<&LitStr>) -> String {
    let name = match given {
        Some(literal) => {
            names::check_not_empty(ctxt, literal, "a column's name");
            literal.value()
        }
        None => names::plain(ident),
    };
    if name.eq_ignore_ascii_case("_rowid_") {
        let message = "a column cannot be called `_rowid_`, which is how SQLite numbers rows: choose \
                       another name";
        match given {
            Some(literal) => ctxt.error(literal, message),
            None => ctxt.error(ident, message),
        }
    }
    name
}

/// Refuses `#[cfg]` on a field: attribute macros run before it is decided, so the columns could not be
/// counted.
fn check_always_there(ctxt: &Ctxt, field: &Field) {
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("cfg")) {
        let message = "a column cannot depend on `#[cfg]`: put `#[cfg]` on the whole struct";
        ctxt.error(attr, message);
    }
}
