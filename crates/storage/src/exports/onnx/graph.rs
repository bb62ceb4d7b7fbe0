//! The network as a graph of ONNX operators.

use super::folded_convolution::FoldedConvolution;
use super::messages::{
    AttributeProto, AttributeType, DimensionProto, FLOAT, GraphProto, Length, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::{INPUT, LOGITS, PROBABILITIES};
use crate::exports::{ExportError, ExportedModel};
use crate::models::model_file::ARCHITECTURE;
use mammoscope_domain::network::network_plan::{
    BlockPlan, ConvolutionPlan, INPUT_CHANNELS, LEAKY_RELU_SLOPE, NetworkPlan, same_padding,
};
use mammoscope_domain::subject::density::DensityClass;

/// Kernel and stride of the max-pooling.
const POOL: (usize, usize) = (3, 2);

/// Builds the graph: N×3×size×size → N×4 probabilities and logits.
pub(super) fn graph_of(exported: &ExportedModel<'_>) -> Result<GraphProto, ExportError> {
    let metadata = &exported.model.metadata;
    let plan = metadata.plan();
    let mut graph = Graph { exported, nodes: Vec::new(), weights: Vec::new(), side: metadata.size, activations: 0 };
    let x = graph.convolution(&plan.stem, INPUT)?;
    let x = graph.activation(&x);
    let mut x = graph.max_pool(&x);
    for block in &plan.blocks {
        x = graph.block(block, &x)?;
    }
    graph.head(&plan, &x)?;
    let size = Length::Fixed(metadata.size as i64);
    let channels = Length::Fixed(INPUT_CHANNELS as i64);
    let image = "Preprocessed images, N, C, H, W; see the entry 'preprocessing' of the metadata";
    let classes = [Length::Fixed(DensityClass::COUNT as i64)];
    Ok(GraphProto {
        node: graph.nodes,
        name: ARCHITECTURE.to_owned(),
        initializer: graph.weights,
        input: vec![value_info(INPUT, &[channels, size.clone(), size], image)],
        output: vec![
            value_info(PROBABILITIES, &classes, "Probabilities of the classes A, B, C, D"),
            value_info(LOGITS, &classes, "The same before the softmax"),
        ],
    })
}

struct Graph<'a> {
    exported: &'a ExportedModel<'a>,
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    /// Height and width of the latest feature map.
    side: usize,
    activations: usize,
}

impl Graph<'_> {
    /// Appends an operation whose output has its name, and returns that name.
    fn node(&mut self, op: &str, name: &str, input: &[&str], attribute: Vec<AttributeProto>) -> String {
        self.nodes.push(NodeProto {
            input: input.iter().map(|&name| name.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: op.to_owned(),
            attribute,
        });
        name.to_owned()
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.weights.push(TensorProto {
            dims: shape.iter().map(|&length| length as i64).collect(),
            data_type: Some(FLOAT),
            name: name.to_owned(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        });
    }

    /// A convolution with its batch normalisation, of the feature map of the current side.
    fn convolution(&mut self, plan: &ConvolutionPlan, input: &str) -> Result<String, ExportError> {
        let folded = FoldedConvolution::of(self.exported, plan)?;
        let name = plan.name();
        let (kernel, bias) = (format!("{name}.folded_kernel"), format!("{name}.folded_bias"));
        self.tensor(&kernel, &[plan.outputs, plan.inputs, plan.kernel, plan.kernel], &folded.kernel);
        self.tensor(&bias, &[plan.outputs], &folded.bias);
        let window = window(self.side, plan.kernel, plan.stride);
        self.side = self.side.div_ceil(plan.stride);
        Ok(self.node("Conv", &name, &[input, &kernel, &bias], window))
    }

    fn activation(&mut self, input: &str) -> String {
        self.activations += 1;
        let name = format!("leaky_re_lu_{}", self.activations);
        let slope = AttributeProto { f: Some(LEAKY_RELU_SLOPE as f32), ..attribute("alpha", AttributeType::Float) };
        self.node("LeakyRelu", &name, &[input], vec![slope])
    }

    fn max_pool(&mut self, input: &str) -> String {
        // ONNX leaves padding out of the maximum, which is the same as padding with −∞.
        let window = window(self.side, POOL.0, POOL.1);
        self.side = self.side.div_ceil(POOL.1);
        self.node("MaxPool", "max_pooling2d_1", &[input], window)
    }

    fn block(&mut self, block: &BlockPlan, input: &str) -> Result<String, ExportError> {
        let side_in = self.side;
        let [first, second, third] = &block.branch;
        let y = self.convolution(first, input)?;
        let y = self.activation(&y);
        let y = self.convolution(second, &y)?;
        let y = self.activation(&y);
        let y = self.convolution(third, &y)?;
        let shortcut = match &block.shortcut {
            Some(shortcut) => {
                self.side = side_in;
                self.convolution(shortcut, input)?
            }
            None => input.to_owned(),
        };
        let sum = self.node("Add", &block.sum_name(), &[&y, &shortcut], Vec::new());
        Ok(self.activation(&sum))
    }

    fn head(&mut self, plan: &NetworkPlan, input: &str) -> Result<(), ExportError> {
        let average = self.node("GlobalAveragePool", "global_average_pooling2d_1", &[input], Vec::new());
        let features = self.node("Flatten", "features", &[&average], vec![int("axis", 1)]);
        let (kernel, bias) = (format!("{}.kernel", NetworkPlan::DENSE), format!("{}.bias", NetworkPlan::DENSE));
        self.tensor(&kernel, &[DensityClass::COUNT, plan.features()], self.exported.tensor(&kernel)?);
        self.tensor(&bias, &[DensityClass::COUNT], self.exported.tensor(&bias)?);
        let logits = self.node("Gemm", LOGITS, &[&features, &kernel, &bias], vec![int("transB", 1)]);
        self.node("Softmax", PROBABILITIES, &[&logits], vec![int("axis", 1)]);
        Ok(())
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: Some(kind.into()), ..AttributeProto::default() }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto { ints: values.iter().map(|&value| value as i64).collect(), ..attribute(name, AttributeType::Ints) }
}

/// Kernel, stride and Keras' `same` padding of a square window on a map of this side.
fn window(side: usize, kernel: usize, stride: usize) -> Vec<AttributeProto> {
    let padding = same_padding(side, kernel, stride);
    vec![
        ints("kernel_shape", &[kernel, kernel]),
        ints("strides", &[stride, stride]),
        ints("pads", &[padding.before, padding.before, padding.after, padding.after]),
    ]
}

/// An input or output whose first axis is the batch, of any length.
fn value_info(name: &str, axes: &[Length], doc: &str) -> ValueInfoProto {
    let batch = Length::Named("batch".to_owned());
    let dim = std::iter::once(batch).chain(axes.iter().cloned());
    let dim = dim.map(|length| DimensionProto { value: Some(length) }).collect();
    let tensor_type = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: doc.to_owned(),
    }
}
