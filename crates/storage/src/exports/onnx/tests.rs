use std::collections::BTreeMap;

use super::messages::{AttributeProto, AttributeType, DimensionProto, Length, TensorProto};
use super::*;
use crate::models::model_file::{Model, ModelMetadata, TensorValues};
use mammoscope_domain::network::input_route::InputRoute;
use mammoscope_domain::network::network_plan::{NetworkPlan, WidthFactor};
use mammoscope_domain::subject::view::View;

/// A narrow model whose kernels and variances are 1 and whose other values are 0.
fn plain_model(size: usize) -> Model {
    let width = WidthFactor::of_stem(2).unwrap();
    let value = |name: &str| {
        if name.ends_with("kernel") || name.ends_with("variance") || name.ends_with("gamma") { 1.0 } else { 0.0 }
    };
    let parameters = NetworkPlan::new(width).parameters();
    let tensors: TensorValues = parameters
        .into_iter()
        .map(|parameter| (parameter.name.clone(), vec![value(&parameter.name); parameter.count()]))
        .collect();
    let (view, input_route) = (Some(View::CcR), InputRoute::Training);
    Model { metadata: ModelMetadata { width, size, view, input_route, provenance: BTreeMap::new() }, tensors }
}

fn written(model: &Model) -> Vec<u8> {
    onnx_bytes(&ExportedModel { model, sha256: "f00d" }).unwrap()
}

fn decoded(model: &Model) -> ModelProto {
    ModelProto::decode(written(model).as_slice()).unwrap()
}

fn initializer<'a>(model: &'a ModelProto, name: &str) -> &'a TensorProto {
    let initializers = &model.graph.as_ref().unwrap().initializer;
    initializers.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn first_value(tensor: &TensorProto) -> f32 {
    f32::from_le_bytes(tensor.raw_data[..4].try_into().unwrap())
}

#[test]
fn messages_have_the_bytes_of_the_format() {
    // By hand from onnx.proto: field number × 8 + wire type, length, bytes.
    let axis = AttributeProto {
        name: "axis".to_owned(),
        i: Some(0),
        r#type: Some(AttributeType::Int.into()),
        ..AttributeProto::default()
    };
    assert_eq!(axis.encode_to_vec(), b"\x0a\x04axis\x18\x00\xa0\x01\x02", "a zero is written");
    let pads = AttributeProto {
        name: "pads".to_owned(),
        ints: vec![0, 1],
        r#type: Some(AttributeType::Ints.into()),
        ..AttributeProto::default()
    };
    assert_eq!(pads.encode_to_vec(), b"\x0a\x04pads\x40\x00\x40\x01\xa0\x01\x07");
    let slope = AttributeProto { f: Some(1.0), ..AttributeProto::default() };
    assert_eq!(slope.encode_to_vec(), b"\x15\x00\x00\x80\x3f");
    let tensor = TensorProto { dims: vec![2], data_type: Some(1), name: "w".to_owned(), raw_data: vec![7, 8] };
    assert_eq!(tensor.encode_to_vec(), b"\x08\x02\x10\x01\x42\x01w\x4a\x02\x07\x08");
    let batch = DimensionProto { value: Some(Length::Named("n".to_owned())) };
    assert_eq!(batch.encode_to_vec(), b"\x12\x01n");
    let entry = StringStringEntryProto { key: "a".to_owned(), value: "b".to_owned() };
    let model = ModelProto {
        ir_version: Some(8),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(17) }],
        metadata_props: vec![entry],
        ..ModelProto::default()
    };
    assert_eq!(model.encode_to_vec(), b"\x08\x08\x42\x04\x0a\x00\x10\x11\x72\x06\x0a\x01a\x12\x01b");
}

#[test]
fn the_graph_has_the_layers_of_the_network() {
    let model = decoded(&plain_model(64));
    let graph = model.graph.as_ref().unwrap();
    let count = |op: &str| graph.node.iter().filter(|node| node.op_type == op).count();
    assert_eq!((count("Conv"), count("LeakyRelu"), count("Add"), count("MaxPool")), (41, 37, 12, 1));
    assert_eq!(graph.node.len(), 41 + 37 + 12 + 1 + 4);
    assert_eq!(graph.initializer.len(), 2 * 41 + 2);
    assert_eq!(initializer(&model, "conv2d_1.folded_kernel").dims, [2, 3, 3, 3]);
    assert_eq!(initializer(&model, "dense_1.kernel").dims, [4, 8]);
    let lengths = |shape: &messages::ValueInfoProto| -> Vec<Option<Length>> {
        let tensor = shape.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
        tensor.shape.as_ref().unwrap().dim.iter().map(|dim| dim.value.clone()).collect()
    };
    let batch = Some(Length::Named("batch".to_owned()));
    let fixed = |length| Some(Length::Fixed(length));
    assert_eq!(lengths(&graph.input[0]), [batch.clone(), fixed(3), fixed(64), fixed(64)]);
    assert_eq!(lengths(&graph.output[0]), [batch, fixed(4)]);
    let names: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, [PROBABILITIES, LOGITS]);
}

#[test]
fn padding_follows_the_size_of_the_feature_map() {
    let pads = |size: usize, name: &str| {
        let model = decoded(&plain_model(size));
        let node = model.graph.unwrap().node.into_iter().find(|node| node.name == name).unwrap();
        node.attribute.into_iter().find(|attribute| attribute.name == "pads").unwrap().ints
    };
    // 64 → 32 → 16 → 16 → 8; 66 → 33 → 17 → 17 → 9.
    assert_eq!(pads(64, "conv2d_1"), [0, 0, 1, 1]);
    assert_eq!(pads(64, "max_pooling2d_1"), [0, 0, 1, 1]);
    assert_eq!(pads(66, "max_pooling2d_1"), [1, 1, 1, 1]);
    assert_eq!(pads(66, "conv2d_13"), [1, 1, 1, 1]);
    assert_eq!(pads(64, "conv2d_13"), [0, 0, 1, 1]);
    // The shortcut of a block with stride 2 sees the block's input.
    assert_eq!(pads(66, "conv2d_15"), [0, 0, 0, 0]);
}

#[test]
fn statistics_are_folded_into_the_convolution() {
    let mut model = plain_model(64);
    let mut set = |name: &str, value: f32| model.tensors.get_mut(name).unwrap().fill(value);
    set("conv2d_1.kernel", 3.0);
    set("conv2d_1.bias", 5.0);
    set("batch_normalization_1.gamma", -2.0);
    set("batch_normalization_1.beta", 0.5);
    set("batch_normalization_1.moving_mean", 1.0);
    // √(0.249 + 0.001) = 0.5, so the scale is −4.
    set("batch_normalization_1.moving_variance", 0.249);
    let written = decoded(&model);
    assert!((first_value(initializer(&written, "conv2d_1.folded_kernel")) + 12.0).abs() < 1e-5);
    assert!((first_value(initializer(&written, "conv2d_1.folded_bias")) + 15.5).abs() < 1e-5);
}

#[test]
fn weights_that_leave_the_range_are_refused_by_name() {
    let mut model = plain_model(64);
    model.tensors.get_mut("conv2d_7.kernel").unwrap()[0] = f32::MAX;
    model.tensors.get_mut("batch_normalization_7.gamma").unwrap()[0] = 2.0;
    let error = onnx_bytes(&ExportedModel { model: &model, sha256: "" }).unwrap_err().to_string();
    assert!(error.starts_with("folding 'batch_normalization_7' into its convolution"), "{error}");
}

#[test]
fn the_file_describes_its_model_and_is_the_same_each_time() {
    let model = plain_model(64);
    assert_eq!(written(&model), written(&model.clone()));
    let file = decoded(&model);
    let entry = |key: &str| file.metadata_props.iter().find(|entry| entry.key == key).unwrap().value.as_str();
    assert_eq!((entry("classes"), entry("view"), entry("size")), ("A,B,C,D", "CC_R", "64"));
    assert_eq!((entry("model_sha256"), entry("intended_use")), ("f00d", INTENDED_USE));
    assert_eq!(entry("mammoscope_version"), env!("CARGO_PKG_VERSION"));
    assert!(entry("preprocessing").contains("64 x 64"));
    assert_eq!((file.ir_version, file.opset_import[0].version), (Some(8), Some(OPSET)));
}
