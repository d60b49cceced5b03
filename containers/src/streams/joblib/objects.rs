//! The wrappers and the dtypes among the objects of a stream.

use std::collections::HashMap;

use pickleproof_core::{Effect, EffectKind, Global, Graph, Value, ValueKind};

use super::dtype::{Dtype, Layout};
use super::wrapper::{Array, array};
use crate::name;

/// So many values in the arguments of a call are searched for a wrapper.
const MAX_SEARCHED: usize = 64;

/// Something that joblib reads at an effect.
pub(super) enum Found {
    Array(Array),
    /// An array in a file beside this one.
    Companion(String),
    /// It can't be told what it reads.
    Unclear(&'static str),
}

/// What a global is to joblib's unpickler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `NumpyArrayWrapper`.
    Array,
    /// `NDArrayWrapper` or `ZNDArrayWrapper`.
    Companion,
    /// A wrapper under another name.
    Alias,
    /// `numpy.dtype`.
    Dtype,
    /// `numpy.record`.
    Record,
    /// `copyreg._reconstructor`.
    Reconstructor,
    /// `copyreg.__newobj__`.
    NewObj,
    /// `object`.
    Object,
    Other,
}

/// An object whose class is a wrapper, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrapper {
    /// As `__new__` made it.
    New,
    /// Its array was read.
    Read,
    Companion,
    /// Its array was read from another file.
    CompanionRead,
    /// Made in another way.
    Unclear,
}

const ARRAY: &[u8] = b"NumpyArrayWrapper";
const COMPANIONS: [&[u8]; 2] = [b"NDArrayWrapper", b"ZNDArrayWrapper"];

fn last_part(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b'.').next().unwrap_or_default()
}

/// Whether a global may be one of joblib's wrappers, under any module.
pub(super) fn is_wrapper(global: &Global<'_>) -> bool {
    let name = last_part(&global.name);
    name == ARRAY || COMPANIONS.contains(&name)
}

/// Follows the effects of a run.
#[derive(Debug, Default)]
pub(super) struct Objects {
    /// Of the globals, by their index.
    roles: Vec<Role>,
    /// The module of the wrapper that this stream uses. A copy of joblib inside of another package
    /// knows its own class only.
    module: Option<Vec<u8>>,
    wrappers: HashMap<Value, Wrapper>,
    dtypes: HashMap<Value, Dtype>,
    /// The class itself was tampered with.
    rewired: bool,
}

impl Objects {
    /// Takes note of an effect and says what joblib reads at it.
    pub(super) fn observe(&mut self, graph: &Graph<'_>, effect: &Effect) -> Option<Found> {
        match effect.kind {
            EffectKind::Import { .. } => {
                let known = self.roles.len();
                for global in graph.globals().get(known..).unwrap_or_default() {
                    let role = self.role_of(global);
                    self.roles.push(role);
                }
                None
            }
            EffectKind::ComputedImport { object, .. } => {
                // It may be any class.
                self.wrappers.insert(object, Wrapper::Unclear);
                None
            }
            EffectKind::Call {
                callable,
                arguments,
                object,
                only_new,
                ..
            } => {
                self.call(graph, callable, arguments, object, only_new);
                None
            }
            EffectKind::Build { object, state } => self.build(graph, object, state),
            _ => None,
        }
    }

    fn role_of(&mut self, global: &Global<'_>) -> Role {
        if is_wrapper(global) {
            let of_joblib = matches!(
                &*global.module,
                b"joblib.numpy_pickle"
                    | b"joblib.numpy_pickle_compat"
                    | b"sklearn.externals.joblib.numpy_pickle"
                    | b"sklearn.externals.joblib.numpy_pickle_compat"
            );
            return if COMPANIONS.contains(&&*global.name) {
                Role::Companion
            } else if of_joblib && *global.name == *ARRAY {
                let module = self.module.get_or_insert_with(|| global.module.to_vec());
                if **module == *global.module {
                    Role::Array
                } else {
                    Role::Alias
                }
            } else {
                Role::Alias
            };
        }
        match (&*global.module, &*global.name) {
            (b"numpy", b"dtype") => Role::Dtype,
            (
                b"numpy" | b"numpy.rec" | b"numpy.core.records" | b"numpy._core.records",
                b"record",
            ) => Role::Record,
            (b"copyreg" | b"copy_reg", b"_reconstructor") => Role::Reconstructor,
            (b"copyreg" | b"copy_reg", b"__newobj__") => Role::NewObj,
            (b"builtins" | b"__builtin__", b"object") => Role::Object,
            _ => Role::Other,
        }
    }

    fn role(&self, value: Value, graph: &Graph<'_>) -> Role {
        let id = graph.global_id(value);
        let role = id.and_then(|id| self.roles.get(id.index()));
        role.copied().unwrap_or(Role::Other)
    }

    fn call(
        &mut self,
        graph: &Graph<'_>,
        callable: Value,
        arguments: Value,
        object: Value,
        only_new: bool,
    ) {
        let role = self.role(callable, graph);
        let wrapper = match role {
            Role::Dtype => {
                let is_record = |value| self.role(value, graph) == Role::Record;
                let dtype = Dtype::new(graph, arguments, is_record);
                self.dtypes.insert(object, dtype);
                return;
            }
            Role::Array if only_new => Some(Wrapper::New),
            Role::Companion => Some(Wrapper::Companion),
            Role::Reconstructor | Role::NewObj => self.made_by_copyreg(graph, role, arguments),
            _ => None,
        };
        let wrapper = wrapper.or_else(|| {
            let reaches = self.is_wrapper(graph, callable) || self.mentions(graph, arguments);
            reaches.then_some(Wrapper::Unclear)
        });
        if let Some(wrapper) = wrapper {
            self.wrappers.insert(object, wrapper);
        }
    }

    /// What pickles of protocol 0 and 1 call: `_reconstructor(class, object, None)`.
    fn made_by_copyreg(&self, graph: &Graph<'_>, by: Role, arguments: Value) -> Option<Wrapper> {
        if arguments.kind() != ValueKind::Tuple || graph.item_count(arguments) > 3 {
            return None;
        }
        let arguments: Vec<Value> = graph.items(arguments).collect();
        let (class, plain) = match (by, arguments.as_slice()) {
            (Role::NewObj, [class]) => (*class, true),
            (Role::Reconstructor, [class, base, state]) => (
                *class,
                self.role(*base, graph) == Role::Object && state.is_none(),
            ),
            _ => return None,
        };
        match self.role(class, graph) {
            Role::Array if plain => Some(Wrapper::New),
            Role::Companion => Some(Wrapper::Companion),
            _ => None,
        }
    }

    /// Whether a value is a wrapper's class, or a wrapper whose array was not read yet.
    fn is_wrapper(&self, graph: &Graph<'_>, value: Value) -> bool {
        match value.kind() {
            ValueKind::Global => matches!(
                self.role(value, graph),
                Role::Array | Role::Companion | Role::Alias
            ),
            ValueKind::Object => {
                let wrapper = self.wrappers.get(&value);
                wrapper.is_some_and(|wrapper| {
                    !matches!(wrapper, Wrapper::Read | Wrapper::CompanionRead)
                })
            }
            _ => false,
        }
    }

    /// Whether a wrapper stands in the arguments of a call, which may give one then.
    fn mentions(&self, graph: &Graph<'_>, arguments: Value) -> bool {
        let mut open = vec![arguments];
        let mut left = MAX_SEARCHED;
        while let Some(value) = open.pop() {
            if self.is_wrapper(graph, value) {
                return true;
            }
            for item in graph.items(value).take(left) {
                left = left.saturating_sub(1);
                open.push(item);
            }
        }
        false
    }

    fn build(&mut self, graph: &Graph<'_>, object: Value, state: Value) -> Option<Found> {
        if object.kind() == ValueKind::Global {
            self.rewired |= self.is_wrapper(graph, object);
            return None;
        }
        if let Some(dtype) = self.dtypes.get_mut(&object) {
            dtype.set_state(graph, state);
            return None;
        }
        let wrapper = self.wrappers.get_mut(&object)?;
        match *wrapper {
            _ if self.rewired => Some(Found::Unclear("because its class was changed")),
            Wrapper::New => {
                *wrapper = Wrapper::Read;
                let layout = |value: Value| -> Result<Layout, &'static str> {
                    let dtype = self.dtypes.get(&value);
                    dtype
                        .ok_or("because its dtype is none of numpy's")?
                        .layout()
                };
                Some(match array(graph, state, layout) {
                    Ok(array) => Found::Array(array),
                    Err(why) => Found::Unclear(why),
                })
            }
            Wrapper::Companion | Wrapper::CompanionRead => {
                *wrapper = Wrapper::CompanionRead;
                Some(Found::Companion(companion(graph, state)))
            }
            Wrapper::Read => Some(Found::Unclear("because its state is set a second time")),
            Wrapper::Unclear => Some(Found::Unclear("because its wrapper is made in an odd way")),
        }
    }
}

/// The reason of the gap that an array in another file is.
fn companion(graph: &Graph<'_>, state: Value) -> String {
    let mut file = None;
    if state.kind() == ValueKind::Dict {
        let mut items = graph.items(state).take(MAX_SEARCHED);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if graph.text(key).as_deref() == Some(b"filename") {
                file = graph.text_lossy(value, 256);
            }
        }
    }
    let file = match file {
        Some(file) => format!("the file '{}'", name::escape(file.as_bytes())),
        None => "a file".to_owned(),
    };
    format!(
        "an array is in {file}, which joblib.load reads by itself, objects in it included; it is judged only where it is scanned too"
    )
}
