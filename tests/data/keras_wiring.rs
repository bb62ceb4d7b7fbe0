//! A whole Keras model is compared with the network layer by layer: other layers and connections are refused by name,
//! other names and another order are accepted.

use mammoscope_storage::keras::{ImportOptions, Imported, KerasError, SizeSource, import};
use mammoscope_test_support::fixture;
use serde_json::{Value, json};

/// A whole model of Keras 2 with the names `conv2d`, `conv2d_1`, ….
const WHOLE: &str = "small_w8_autonames.h5";

/// Imports the whole model with its configuration changed: the new text overwrites the old one.
fn import_changed_text(change: impl FnOnce(&str) -> String) -> Result<Imported, KerasError> {
    let mut bytes = std::fs::read(fixture(WHOLE)).expect("the fixture");
    let beginning = b"{\"class_name\": \"Functional\"";
    let start = bytes.windows(beginning.len()).position(|part| part == beginning).expect("the configuration");
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<Value>();
    values.next().expect("an object").expect("well-formed");
    let end = start + values.byte_offset();
    let text = change(std::str::from_utf8(&bytes[start..end]).expect("text"));
    // JSON allows white space after an object.
    let room = (end - start).checked_sub(text.len()).expect("room for the changed configuration");
    let text = text + &" ".repeat(room);
    bytes.splice(start..end, text.into_bytes());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("changed.h5");
    std::fs::write(&path, bytes).expect("room on disk");
    import(&path, ImportOptions::default())
}

fn import_changed(change: impl FnOnce(&mut Vec<Value>)) -> Result<Imported, KerasError> {
    import_changed_text(|text| {
        let mut config: Value = serde_json::from_str(text).expect("JSON");
        change(config["config"]["layers"].as_array_mut().expect("layers"));
        config.to_string()
    })
}

#[track_caller]
fn assert_refused(result: Result<Imported, KerasError>, words: &[&str]) {
    let error = match result {
        Ok(_) => panic!("accepted, not refused with {words:?}"),
        Err(error) => error.to_string(),
    };
    assert!(words.iter().all(|word| error.contains(word)), "{words:?} are not in: {error}");
    assert!(!error.contains(['\n', '\u{1b}', '\u{202e}']), "{error}");
}

fn layer<'a>(layers: &'a mut [Value], name: &str) -> &'a mut Value {
    layers.iter_mut().find(|layer| layer["name"] == name).expect("a layer of the fixture")
}

/// Inserts a layer between another and everything that it feeds.
fn insert_after(layers: &mut Vec<Value>, name: &str, class: &str, settings: &Value) {
    for layer in layers.iter_mut() {
        let tensors = layer["inbound_nodes"].as_array_mut().into_iter().flatten().filter_map(Value::as_array_mut);
        tensors.flatten().filter(|tensor| tensor[0] == name).for_each(|tensor| tensor[0] = json!("new"));
    }
    layers.push(json!({"name": "new", "class_name": class, "config": settings, "inbound_nodes": [[[name, 0, 0, {}]]]}));
}

#[test]
fn an_unchanged_configuration_is_the_network() {
    let imported = import_changed(|_| {}).expect("the network");
    assert_eq!((imported.model.metadata.size, imported.size_source), (64, SizeSource::File));
    assert!(!imported.weights_alone);
    assert_eq!(imported.model.metadata.provenance["dropout"], "0.2");
}

#[test]
fn missing_and_extra_layers_are_refused() {
    let slope = json!({"alpha": 0.3});
    for (after, words) in [
        ("leaky_re_lu_36", "'leaky_re_lu_36' (LeakyReLU) is in the place of Add"),
        ("leaky_re_lu_1", "'leaky_re_lu_1' (LeakyReLU) is in the place of BatchNormalization (block 1)"),
        ("max_pooling2d", "is in the place of"),
    ] {
        assert_refused(import_changed(|layers| insert_after(layers, after, "LeakyReLU", &slope)), &[words]);
    }
    // Without the max-pool: its input feeds what it fed.
    let without_pool = import_changed_text(|text| text.replace("[\"max_pooling2d\", 0", "[\"leaky_re_lu\", 0"));
    assert_refused(without_pool, &["'leaky_re_lu' (LeakyReLU) is in the place of MaxPooling2D"]);
    let unconnected = json!({"name": "aside", "class_name": "Flatten", "config": {}, "inbound_nodes": []});
    assert_refused(import_changed(|layers| layers.push(unconnected)), &["'aside' (Flatten) is superfluous"]);
}

#[test]
fn layers_in_another_order_are_refused() {
    // Convolution → activation → normalisation, where the network has convolution → normalisation → activation.
    let swapped = import_changed(|layers| {
        layer(layers, "leaky_re_lu_1")["inbound_nodes"] = json!([[["conv2d_1", 0, 0, {}]]]);
        layer(layers, "batch_normalization_1")["inbound_nodes"] = json!([[["leaky_re_lu_1", 0, 0, {}]]]);
        layer(layers, "conv2d_2")["inbound_nodes"] = json!([[["batch_normalization_1", 0, 0, {}]]]);
    });
    assert_refused(swapped, &["'batch_normalization_1' (BatchNormalization) is in the place of LeakyReLU"]);
    // A shortcut around a block that starts one block too early.
    let early = import_changed(|layers| {
        layer(layers, "add_2")["inbound_nodes"][0][0][0] = json!("leaky_re_lu_3");
    });
    assert_refused(early, &["the branch of block 3 starts at layer 'leaky_re_lu_6'", "'leaky_re_lu_3'"]);
    let shared = import_changed(|layers| {
        let nodes = layer(layers, "conv2d_2")["inbound_nodes"].as_array_mut().expect("calls");
        nodes.push(nodes[0].clone());
    });
    assert_refused(shared, &["'conv2d_2' (Conv2D) is used more than once"]);
}

#[test]
fn other_settings_are_refused() {
    let cases = [
        ("conv2d_2", "data_format", json!("channels_first"), "channels_first"),
        ("conv2d_12", "strides", json!([1, 1]), "strides [1,1]"),
        ("conv2d_2", "strides", Value::Null, "does not state its strides"),
        ("conv2d_2", "groups", json!(2), "groups 2"),
        ("max_pooling2d", "data_format", json!("channels_first"), "channels_first"),
        ("global_average_pooling2d", "data_format", json!("channels_first"), "channels_first"),
        ("batch_normalization_7", "axis", json!([1]), "axis [1]"),
        ("batch_normalization_7", "epsilon", json!("x"), "epsilon"),
        ("leaky_re_lu_5", "alpha", json!(0.2), "alpha 0.2"),
        ("dense", "activation", json!("linear"), "logits"),
        ("dense", "activation", json!("sigmoid"), "sigmoid"),
        ("conv2d_2", "dtype", json!("mixed_float16"), "mixed_float16"),
        ("conv2d_2", "padding", json!("sa\u{202e}me\u{1b}[31m"), "sa\\u{202e}me"),
        ("conv2d_2", "padding", json!("x".repeat(200)), "…"),
        ("input_1", "batch_input_shape", json!([null, 64, 96, 3]), "64×96×3"),
        ("input_1", "batch_input_shape", json!([null, 1e300, 1e300, 3]), "1e+300"),
        ("input_1", "batch_input_shape", json!([null, 64]), "shape of four axes"),
        ("input_1", "batch_input_shape", json!([null, 20, 20, 3]), "20 pixels"),
    ];
    for (name, key, value, word) in cases {
        assert_refused(import_changed(|layers| layer(layers, name)["config"][key] = value), &[word]);
    }
    let trains = json!([[["leaky_re_lu_36", 0, 0, {"training": true}]]]);
    assert_refused(import_changed(|layers| layer(layers, "dropout")["inbound_nodes"] = trains), &["training=True"]);
}

#[test]
fn names_and_order_of_the_layers_are_free() {
    let plain = import_changed(|_| {}).expect("the network").model.tensors;
    // The arms of a sum may be listed either way round, and so may all layers.
    let swapped = import_changed(|layers| {
        for number in [0, 1, 5] {
            let name = if number == 0 { "add".to_owned() } else { format!("add_{number}") };
            layer(layers, &name)["inbound_nodes"][0].as_array_mut().expect("two arms").reverse();
        }
        layers.reverse();
    });
    assert_eq!(swapped.expect("the network").model.tensors, plain);
    // Two convolutions of the same shape that swap their names swap their weights: the wiring counts, not the number.
    let renamed = import_changed_text(|text| {
        let (first, second) = ("\"conv2d_6\"", "\"conv2d_9\"");
        text.replace(first, "\"\"").replace(second, first).replace("\"\"", second)
    });
    let renamed = renamed.expect("the network").model.tensors;
    assert_eq!(renamed["conv2d_7.kernel"], plain["conv2d_10.kernel"]);
    assert_eq!(renamed["conv2d_10.kernel"], plain["conv2d_7.kernel"]);
    assert_eq!(renamed["conv2d_8.kernel"], plain["conv2d_8.kernel"]);
}

#[test]
fn a_softmax_after_the_dense_layer_is_accepted() {
    let apart = |activation: &'static str| {
        import_changed_text(|text| {
            let mut config: Value = serde_json::from_str(text).expect("JSON");
            let layers = config["config"]["layers"].as_array_mut().expect("layers");
            layer(layers, "dense")["config"]["activation"] = json!(activation);
            insert_after(layers, "dense", "Activation", &json!({"activation": "softmax"}));
            config["config"]["output_layers"] = json!([["new", 0, 0]]);
            config.to_string()
        })
    };
    assert!(apart("linear").is_ok());
    assert_refused(apart("softmax"), &["'dense' has activation \"softmax\" before the softmax"]);
}

#[test]
fn a_free_input_size_differs_from_weights_alone() {
    let free = import_changed(|layers| {
        layer(layers, "input_1")["config"]["batch_input_shape"] = json!([null, null, null, 3]);
    });
    let free = free.expect("the network");
    assert_eq!((free.size_source, free.weights_alone), (SizeSource::AssumedFree, false));
    let alone = import(&fixture("small_w8_keras224names.weights.h5"), ImportOptions::default()).expect("weights");
    assert_eq!((alone.size_source, alone.weights_alone), (SizeSource::AssumedWeightsAlone, true));
    let given = ImportOptions { view: None, size: Some(64) };
    let given = import(&fixture("small_w8_keras224names.weights.h5"), given).expect("weights");
    assert_eq!((given.size_source, given.weights_alone), (SizeSource::Option, true));
}

/// A configuration that cannot be read is never treated as a missing one.
#[test]
fn a_damaged_configuration_is_an_error() {
    let damaged = |change: fn(&str) -> String, words: &[&str]| {
        let result = import_changed_text(change);
        assert!(matches!(result, Err(KerasError::Config(_))), "{:?}", result.err());
        assert_refused(result, words);
    };
    damaged(|text| text[..text.len() / 2].to_owned(), &["model_config", "not JSON"]);
    damaged(|_| "{}".to_owned(), &["model_config", "lists no layers"]);
    damaged(|text| text.replace("\"layers\"", "\"lawyer\""), &["lists no layers"]);
    damaged(|text| text.replacen("\"class_name\": \"Conv2D\"", "\"class_game\": \"Conv2D\"", 1), &["no class"]);

    let mut bytes = std::fs::read(fixture(WHOLE)).expect("the fixture");
    let place = bytes.windows(8).position(|part| part == b"\"Conv2D\"").expect("a class");
    bytes[place + 2] ^= 0x80;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("not_utf8.h5");
    std::fs::write(&path, bytes).expect("room on disk");
    assert!(matches!(import(&path, ImportOptions::default()), Err(KerasError::Config(_))));
}
