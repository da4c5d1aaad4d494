//! Heads and chunks read strictly, beside the search for their end: the least that finding it costs.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use demilune_gateway::listen::framing::{ChunkReader, FramingLimits, HeadReader, RequestStream};

/// A browser's call of an API, without cookies.
const HEAD: &str = "GET /api/v1/users/12345/posts?page=2&per_page=50 HTTP/1.1\r\n\
    Host: api.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: application/json\r\n\
    Accept-Language: en-US,en;q=0.5\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Connection: keep-alive\r\n\
    X-Request-Id: 0190c2f3a4b5\r\n\r\n";

fn framing(criterion: &mut Criterion) {
    let limits = FramingLimits::default();
    let mut heads = criterion.benchmark_group("head");
    heads.throughput(Throughput::Bytes(HEAD.len() as u64));
    heads.bench_function("read", |bencher| {
        bencher.iter(|| HeadReader::default().read(black_box(HEAD.as_bytes()), &limits));
    });
    heads.bench_function("end", |bencher| {
        bencher.iter(|| memchr::memmem::find(black_box(HEAD.as_bytes()), b"\r\n\r\n"));
    });
    let mut stream = RequestStream::new(limits);
    heads.bench_function("pass", |bencher| bencher.iter(|| stream.pass(black_box(HEAD.as_bytes()))));
    heads.finish();

    let chunk = format!("4000\r\n{}\r\n", "a".repeat(16_384));
    let mut chunks = criterion.benchmark_group("chunk");
    chunks.throughput(Throughput::Bytes(chunk.len() as u64));
    let mut reader = ChunkReader::default();
    chunks.bench_function("advance", |bencher| {
        bencher.iter(|| reader.advance(black_box(chunk.as_bytes()), &limits));
    });
    chunks.finish();
}

criterion_group!(benches, framing);
criterion_main!(benches);
