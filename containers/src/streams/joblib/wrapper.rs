//! The state of a `NumpyArrayWrapper`: how much joblib reads behind it.

use pickleproof_core::{Graph, Value, ValueKind};

use super::dtype::Layout;
use super::wide;

/// A state of more items is not joblib's, and would be searched again for each array.
const MAX_STATE: usize = 64;

/// `NumPy` has arrays of at most 64 dimensions.
const MAX_DIMENSIONS: usize = 64;

/// What stands behind a wrapper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Array {
    /// A byte and as many bytes as it says come first. joblib writes them since 1.2.
    pub(super) padded: bool,
    pub(super) data: Data,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    /// So many bytes.
    Plain { size: u64 },
    /// A pickle of the objects, whatever their number, without padding.
    Pickle,
}

/// What joblib reads for a wrapper of this state; or why it can't be told. `layout` knows the types.
pub(super) fn array(
    graph: &Graph<'_>,
    state: Value,
    layout: impl FnOnce(Value) -> Result<Layout, &'static str>,
) -> Result<Array, &'static str> {
    if state.kind() != ValueKind::Dict || graph.item_count(state) > MAX_STATE {
        return Err("because its state is no dict as joblib writes it");
    }
    let (mut shape, mut dtype, mut alignment) = (None, None, None);
    let mut items = graph.items(state);
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        if key.kind() != ValueKind::Str {
            return Err("because its state has a key that is no text");
        }
        // Of two equal keys the last counts.
        match graph.text(key).as_deref() {
            Some(b"shape") => shape = Some(value),
            Some(b"dtype") => dtype = Some(value),
            Some(b"numpy_array_alignment_bytes") => alignment = Some(value),
            _ => {}
        }
    }
    let shape = shape.ok_or("because its state has no shape")?;
    let count = count(graph, shape)?;
    let dtype = dtype.ok_or("because its state has no dtype")?;
    let data = match layout(dtype)? {
        Layout::Objects => Data::Pickle,
        Layout::Plain { item } => {
            let size = count.checked_mul(item);
            Data::Plain {
                size: size.ok_or("because its shape is larger than any file")?,
            }
        }
    };
    Ok(Array {
        padded: alignment.is_some_and(|alignment| !alignment.is_none()),
        data,
    })
}

/// The number of items of a shape.
fn count(graph: &Graph<'_>, shape: Value) -> Result<u64, &'static str> {
    let plain = match shape.kind() {
        ValueKind::Tuple => true,
        ValueKind::List => graph.assignments(shape).next().is_none(),
        _ => false,
    };
    if !plain || graph.item_count(shape) > MAX_DIMENSIONS {
        return Err("because its shape is no tuple of numbers");
    }
    let mut lengths = Vec::new();
    for length in graph.items(shape) {
        let length = graph.small_integer(length);
        let length = length.ok_or("because its shape is no tuple of numbers")?;
        lengths
            .push(u64::try_from(length).map_err(|_| "because a length in its shape is negative")?);
    }
    if lengths.contains(&0) {
        return Ok(0);
    }
    let product = lengths
        .iter()
        .try_fold(1_u64, |product, length| product.checked_mul(*length));
    product
        .filter(|product| *product <= wide(usize::MAX))
        .ok_or("because its shape is larger than any file")
}
