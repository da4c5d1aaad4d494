//! Reading and compiling documents: time, and the memory that is held afterwards and was held at most.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "it is a benchmark, and reads files"
)]

use std::{fs, hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use demilune_schema::document::{Document, Options, Read};
use peak_alloc::PeakAlloc;
use serde_json::{Map, Value, json};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// So many operations, of which a third takes a body of ten members of its own, and each two parameters.
fn synthetic(operations: usize) -> Vec<u8> {
    let parameters = json!([
        {"name": "id", "in": "path", "required": true, "schema": {"type": "integer", "minimum": 1}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
    ]);
    let paths: Map<String, Value> = (0..operations.div_ceil(3))
        .map(|number| {
            let body = json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/S{number}")}}}});
            let mut item = json!({"parameters": parameters, "put": {"requestBody": body}});
            for (rest, method) in [(1, "get"), (2, "delete")] {
                if number * 3 + rest < operations {
                    item[method] = json!({});
                }
            }
            (format!("/resource{number}/{{id}}"), item)
        })
        .collect();
    let schemas: Map<String, Value> =
        (0..operations.div_ceil(3)).map(|number| (format!("S{number}"), schema(number))).collect();
    let document = json!({"openapi": "3.0.4", "servers": [{"url": "https://api.example.com"}], "paths": paths, "components": {"schemas": schemas}});
    document.to_string().into_bytes()
}

fn schema(number: usize) -> Value {
    let property = |index: usize| {
        let schema = match index % 5 {
            0 => json!({"type": "string", "maxLength": 100, "description": "a text"}),
            1 => json!({"type": "integer", "minimum": number}),
            2 => json!({"type": "string", "format": "date-time"}),
            3 => json!({"type": "array", "items": {"type": "string"}}),
            _ => json!({"type": "string", "enum": ["a", "b"]}),
        };
        (format!("p{index}"), schema)
    };
    json!({"type": "object", "required": ["p0"], "properties": (0..10).map(property).collect::<Map<_, _>>()})
}

fn read(bytes: &[u8]) -> Read {
    Document::read(bytes, &Options::default())
}

#[expect(clippy::cast_precision_loss, reason = "megabytes are printed to a tenth")]
fn load(criterion: &mut Criterion) {
    let mut documents =
        vec![("synthetic_1200".to_owned(), synthetic(1200)), ("synthetic_20000".to_owned(), synthetic(20_000))];
    // Others by name, such as GitHub's description of its API.
    if let Some(file) = std::env::var_os("DEMILUNE_BENCH_DOCUMENT") {
        documents.push(("given".to_owned(), fs::read(file).expect("DEMILUNE_BENCH_DOCUMENT names a file")));
    }
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).warm_up_time(Duration::from_millis(500));
    for (name, bytes) in &documents {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let held = read(bytes);
        let used = MEMORY.current_usage() - before;
        let peak = MEMORY.peak_usage() - before;
        let operations = held.document.as_ref().map_or(0, |document| document.operations.len());
        println!(
            "{name}: {:.1} MB of text, {operations} operations, {} problems; {:.1} MB held, {:.1} MB at most",
            bytes.len() as f64 / 1e6,
            held.problems.len(),
            used as f64 / 1e6,
            peak as f64 / 1e6,
        );
        drop(held);
        group.bench_function(name, |bencher| bencher.iter_with_large_drop(|| read(black_box(bytes))));
    }
    group.finish();
}

criterion_group!(benches, load);
criterion_main!(benches);
