//! The modules of a crate and what each of them imports, read from its sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Item, Meta};

/// The names that lead to a module from the crate's root; empty for the root itself.
type ModulePath = Vec<String>;

/// The modules of a crate without its tests.
pub(crate) struct ModuleGraph {
    files: BTreeMap<ModulePath, PathBuf>,
    imports: BTreeMap<ModulePath, BTreeSet<ModulePath>>,
}

impl ModuleGraph {
    /// Reads the crate whose root is this file. What is compiled for tests only is left out.
    ///
    /// # Panics
    /// If a source file is missing or is not Rust.
    pub(crate) fn read(root: &Path) -> Self {
        let mut sources = BTreeMap::new();
        let folder = root.parent().expect("a file has a folder").to_owned();
        collect(root, &folder, Vec::new(), &mut sources);
        let files: BTreeMap<ModulePath, PathBuf> =
            sources.iter().map(|(module, source)| (module.clone(), source.file.clone())).collect();
        let imports = sources
            .into_iter()
            .map(|(module, source)| {
                let paths = source.tokens.into_iter().flat_map(|(depth, tokens)| {
                    paths_in(tokens).into_iter().map(move |path| without_inline_supers(&path, depth))
                });
                let named = paths
                    .filter_map(|path| resolve(&path, &module, &files))
                    .filter(|imported| *imported != module)
                    .collect();
                (module, named)
            })
            .collect();
        Self { files, imports }
    }

    /// Every import: the file that imports and the file that is imported.
    pub(crate) fn imports(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.imports
            .iter()
            .flat_map(|(module, imported)| imported.iter().map(move |target| (module, target)))
            .map(|(module, target)| (self.files[module].as_path(), self.files[target].as_path()))
    }

    /// The cycles: sets of files that import each other in a loop, each with more than one file.
    pub(crate) fn cycles(&self) -> Vec<Vec<&Path>> {
        let reached: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
            self.files.keys().map(|module| (module, self.reached_from(module))).collect();
        let mut placed = BTreeSet::new();
        let mut cycles = Vec::new();
        for (module, others) in &reached {
            if !placed.contains(module) && others.contains(module) {
                let cycle: Vec<_> = others.iter().filter(|other| reached[*other].contains(module)).copied().collect();
                cycles.push(cycle.iter().map(|module| self.files[*module].as_path()).collect());
                placed.extend(cycle);
            }
        }
        cycles
    }

    /// The modules that a module imports, and those that these import, and so on.
    fn reached_from(&self, start: &ModulePath) -> BTreeSet<&ModulePath> {
        let mut reached = BTreeSet::new();
        let mut pending: Vec<&ModulePath> = self.imports[start].iter().collect();
        while let Some(module) = pending.pop() {
            if reached.insert(module) {
                pending.extend(&self.imports[module]);
            }
        }
        reached
    }
}

struct Source {
    file: PathBuf,
    /// The items, each with the number of inline modules around it.
    tokens: Vec<(usize, TokenStream)>,
}

/// Follows the `mod` lines of a file. `folder` contains the files of its child modules.
fn collect(file: &Path, folder: &Path, module: ModulePath, sources: &mut BTreeMap<ModulePath, Source>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut tokens = Vec::new();
    let mut pending: Vec<(usize, Item)> = syntax.items.into_iter().map(|item| (0, item)).collect();
    while let Some((depth, item)) = pending.pop() {
        match item {
            item if is_for_tests(&item) => {}
            Item::Mod(child) => {
                if let Some((_, items)) = child.content {
                    pending.extend(items.into_iter().map(|item| (depth + 1, item)));
                    continue;
                }
                let name = child.ident.to_string();
                let folder = folder.join(&name);
                let flat = folder.with_extension("rs");
                let file = if flat.is_file() { flat } else { folder.join("mod.rs") };
                let path = module.iter().cloned().chain([name]).collect();
                collect(&file, &folder, path, sources);
            }
            item => tokens.push((depth, item.to_token_stream())),
        }
    }
    sources.insert(module, Source { file: file.to_owned(), tokens });
}

/// A path inside `depth` inline modules, as it reads outside of them.
fn without_inline_supers(path: &[String], depth: usize) -> Vec<String> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let absorbed = supers.min(depth);
    match path.split_at(absorbed) {
        (_, rest) if absorbed > 0 && supers == absorbed => [&["self".to_owned()], rest].concat(),
        (_, rest) => rest.to_vec(),
    }
}

/// True for an item with `#[cfg(test)]` or `#[test]`.
fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::Path(path) => path.is_ident("test"),
        Meta::NameValue(_) => false,
    })
}

/// Every path of names in the tokens, with the groups of `use` lines expanded; macros are searched as well.
fn paths_in(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    gather(&tokens.into_iter().collect::<Vec<_>>(), &[], &mut paths);
    paths
}

fn gather(tokens: &[TokenTree], prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            // `pub(in crate::tui)` imports nothing.
            TokenTree::Ident(name) if *name == "pub" && matches!(tokens.get(at + 1), Some(TokenTree::Group(_))) => {
                at += 2;
            }
            TokenTree::Ident(name) => {
                let mut path = prefix.to_vec();
                path.push(name.to_string());
                at += 1;
                while is_separator(&tokens[at..]) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(name)) => {
                            path.push(name.to_string());
                            at += 3;
                        }
                        Some(TokenTree::Group(group)) => {
                            gather(&group.stream().into_iter().collect::<Vec<_>>(), &path, paths);
                            at += 3;
                            break;
                        }
                        _ => break,
                    }
                }
                paths.push(path);
            }
            TokenTree::Group(group) => {
                gather(&group.stream().into_iter().collect::<Vec<_>>(), &[], paths);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

fn is_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == ':' && second.as_char() == ':')
}

/// The module that a path names or that holds the item it names; `None` if it leads out of the crate.
fn resolve(path: &[String], from: &ModulePath, files: &BTreeMap<ModulePath, PathBuf>) -> Option<ModulePath> {
    let mut module = match path[0].as_str() {
        "crate" => Vec::new(),
        "self" | "super" => from.clone(),
        child => from.iter().cloned().chain([child.to_owned()]).collect(),
    };
    let mut rest = &path[1..];
    if path[0] == "super" {
        module.pop()?;
    }
    while let Some((name, further)) = rest.split_first()
        && name == "super"
    {
        module.pop()?;
        rest = further;
    }
    // A single name must be a child module; any other is a type, a function or a variable.
    if !files.contains_key(&module) || (rest.is_empty() && path[0] == "self") {
        return None;
    }
    for name in rest {
        module.push(name.clone());
        if !files.contains_key(&module) {
            module.pop();
            break;
        }
    }
    Some(module)
}
