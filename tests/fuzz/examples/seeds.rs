//! Writes the first inputs of a target: the fixtures, and the published vectors where they are. `seeds TARGET FOLDER`.

use std::{
    collections::HashSet,
    error::Error,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use serde_json::Value;
use wayglass_fuzz::{
    MODELS,
    gt06_decode::{LONG, SEALED, TOPIN, ZONE},
    gt06_session::Op,
    owntracks::{KEYED, LIMITS, NONCE, QUERY, SEALED as BOXED, USER},
    wire::hex,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(target), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: seeds TARGET FOLDER".into());
    };
    let seeds = match target.as_str() {
        "gt06_frames" => streams(&frames()?),
        "gt06_decode" => dressed(&frames()?),
        "gt06_session" => scripts(&frames()?),
        "owntracks" => requests(&bodies()?),
        "dress" => texts(&frames()?, &bodies()?)?,
        "import" => files(),
        "capture" => captures(&frames()?)?,
        "filter" => filters(),
        "words" => words(),
        other => return Err(format!("no target {other}").into()),
    };
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let mut count = 0;
    for seed in seeds.into_iter().filter(|seed| seed.len() <= 8192).collect::<HashSet<_>>() {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        fs::write(folder.join(format!("seed-{:016x}", hasher.finish())), seed)?;
        count += 1;
    }
    println!("{count} seeds in {}", folder.display());
    Ok(())
}

/// One or two of each format, found out and said.
fn files() -> Vec<Vec<u8>> {
    let time = "2017-06-15T06:37:31Z";
    let gpx = format!(
        "<gpx xmlns:wg=\"u\"><trk><name>a &amp; b</name><src>GT06 123456789012345</src><trkseg><trkpt lat=\"1\" lon=\"2\"><ele>3</ele>\
         <time>{time}</time><fix>3d</fix><sat>9</sat><extensions><speed>1</speed><wg:reading name=\"x\">1</wg:reading></extensions>\
         </trkpt></trkseg></trk><wpt lat=\"1\" lon=\"2\"/></gpx>"
    );
    let kml = format!(
        "<kml><Folder><name>a</name><description>GT06 1</description><Placemark><name>b</name><gx:Track><when>{time}</when>\
         <gx:coord>1 2 3</gx:coord><ExtendedData><SchemaData><gx:SimpleArrayData name=\"speed_kmh\"><gx:value>1</gx:value>\
         </gx:SimpleArrayData></SchemaData></ExtendedData></gx:Track></Placemark><Placemark><TimeStamp><when>{time}</when></TimeStamp>\
         <Point><coordinates>1,2</coordinates></Point></Placemark></Folder></kml>"
    );
    let json = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{{"type":"Point","coordinates":[1,2,3]}},"properties":{{"time":"{time}","attributes":{{"a":1}}}}}},{{"type":"Feature","geometry":{{"type":"LineString","coordinates":[[1,2]]}},"properties":{{"coordTimes":[1]}}}}]}}"#
    );
    let csv = format!("fix_time,latitude,longitude,speed_kmh,attributes\r\n{time},1,2,3,\"{{\"\"a\"\":1}}\"\r\n");
    let traccar = "id,deviceId,serverTime,fixTime,latitude,longitude,speed,ignition\n1,2,2017-06-15 06:37:31,2017-06-15 06:37:31,1,2,3,true\n";
    let rec = format!("{time}\t*\t{{\"_type\":\"location\",\"lat\":1,\"lon\":2,\"tst\":1497508651}}\n");
    let texts = [gpx, kml, json, csv, traccar.to_owned(), rec];
    let picks = (0..12).flat_map(|pick| texts.iter().map(move |text| [&[pick], text.as_bytes()].concat()));
    picks.collect()
}

/// The fixtures, and frames as a stream.
fn captures(frames: &[Frame]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let sniffed = 4;
    let mut seeds: Vec<_> = frames.iter().map(|(_, frame)| [&[3], frame.as_slice()].concat()).collect();
    for entry in fs::read_dir(root().join("tests/fixtures/capture"))? {
        seeds.push([&[sniffed], fs::read(entry?.path())?.as_slice()].concat());
    }
    Ok(seeds)
}

/// One of each kind of question.
fn filters() -> Vec<Vec<u8>> {
    let texts = [
        r#"dev == "Van 7" && speed > 90"#,
        "verdict >= warn && time in 1h",
        "[GSM signal] < 2 || !answered",
        "type == 0x12 and not (marked or alarm)",
        "serial in 1200..1210",
        "kind in {login, heartbeat}",
        r#"comment contains "x" 7878"#,
        "time >= 2026-11-21T10:00:00Z",
    ];
    texts.into_iter().enumerate().map(|(n, text)| [&[n as u8], text.as_bytes()].concat()).collect()
}

/// One or two for each reader.
fn words() -> Vec<Vec<u8>> {
    let texts: [(u8, &str); 7] = [
        (0, "2026-11-21T10:00:00Z|now"),
        (0, "yesterday|today"),
        (0, "2026-10-25|2026-10-25 02:30"),
        (1, "POST / HTTP/1.1\r\nauthorization: Basic eDp5\r\nCookie: a=b\r\n"),
        (1, "Proxy-Authorization:"),
        (2, "\u{1b}[31mred\u{9b}\u{202e}\n"),
        (2, "a name"),
    ];
    texts.into_iter().map(|(which, text)| [&[which], text.as_bytes()].concat()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of one folder of fixtures.
fn fixtures(protocol: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(root().join("tests/fixtures").join(protocol))? {
        texts.push(fs::read_to_string(entry?.path())?);
    }
    if texts.is_empty() { Err("no fixtures".into()) } else { Ok(texts) }
}

/// The published vectors, where they are.
fn vectors(file: &str) -> Value {
    let text = fs::read_to_string(root().join("../shared/vectors").join(file)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// A frame with its model.
type Frame = (Option<String>, Vec<u8>);

fn frames() -> Result<Vec<Frame>, Box<dyn Error>> {
    let mut frames = Vec::new();
    for text in fixtures("gt06")? {
        let head = text.split("---").next().unwrap_or_default();
        let model = head.lines().find_map(|line| line.strip_prefix("model:")).map(|model| model.trim().to_owned());
        let digits: String = head.lines().filter(|line| !line.contains(':')).collect();
        frames.push((model, bytes(&digits)));
    }
    let vectors = vectors("gt06.json");
    for vector in ["frames", "documents_and_logs"].iter().filter_map(|part| vectors[part].as_array()).flatten() {
        let model = vector["model"].as_str().map(str::to_owned);
        frames.push((model, bytes(vector["hex"].as_str().unwrap_or_default())));
    }
    Ok(frames)
}

fn bodies() -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut bodies = Vec::new();
    for text in fixtures("owntracks")? {
        bodies.push(text.split("\n----\n").next().unwrap_or_default().as_bytes().to_vec());
    }
    let vectors = vectors("owntracks.json");
    for case in vectors["cases"].as_array().into_iter().flatten() {
        let bodies_here = case["bodies"].as_array().into_iter().flatten().chain([&case["body"]]);
        bodies.extend(bodies_here.filter_map(Value::as_str).map(|body| body.as_bytes().to_vec()));
        bodies.extend(case["crypto"]["plaintext"].as_str().map(|text| text.as_bytes().to_vec()));
    }
    Ok(bodies)
}

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn streams(frames: &[(Option<String>, Vec<u8>)]) -> Vec<Vec<u8>> {
    let alone = frames.iter().map(|(_, frame)| [&[0, 3], frame.as_slice()].concat());
    let several = frames.chunks(4).map(|some| {
        let joined: Vec<u8> = some.iter().flat_map(|(_, frame)| frame.clone()).collect();
        [&[1, 7], joined.as_slice()].concat()
    });
    let damaged = frames.windows(2).map(|pair| {
        let (_, rest) = pair[0].1.split_at(pair[0].1.len() / 2);
        [&[2, 5], &pair[0].1[..pair[0].1.len() / 2], &pair[1].1, rest].concat()
    });
    alone.chain(several).chain(damaged).collect()
}

/// Type and body of a frame; whether its start is the long one.
fn content(frame: &[u8]) -> Option<(bool, &[u8])> {
    let long = frame.starts_with(&[0x79, 0x79]);
    let content = frame.get(if long { 4 } else { 3 }..frame.len().checked_sub(6)?)?;
    (!content.is_empty()).then_some((long, content))
}

fn model_number(model: Option<&str>) -> u8 {
    MODELS.iter().zip(0..).find(|(known, _)| **known == model).map_or(0, |(_, number)| number)
}

fn dressed(frames: &[(Option<String>, Vec<u8>)]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (model, frame) in frames {
        let model = model_number(model.as_deref());
        for flags in [0, TOPIN, ZONE] {
            seeds.push([&[model, flags], frame.as_slice()].concat());
        }
        if let Some((long, content)) = content(frame) {
            for other in [model, 4] {
                seeds.push([&[other, if long { SEALED | LONG } else { SEALED }], content].concat());
            }
        }
    }
    seeds
}

/// A step that sends this frame under the next serial, or as it is.
fn step(frame: &[u8]) -> Option<Vec<u8>> {
    let (op, sent) = match content(frame) {
        Some((long, content)) if content.len() <= 256 => {
            let (&kind, body) = content.split_first()?;
            (vec![if long { Op::Long } else { Op::Short } as u8, kind], body)
        }
        _ => (vec![Op::Raw as u8], frame),
    };
    Some([op.as_slice(), &[u8::try_from(sent.len()).ok()?], sent].concat())
}

fn scripts(frames: &[(Option<String>, Vec<u8>)]) -> Vec<Vec<u8>> {
    let steps: Vec<_> = frames.iter().filter_map(|(_, frame)| step(frame)).collect();
    let login = [Op::Login as u8, 1];
    let mut seeds: Vec<Vec<u8>> = steps.iter().map(|step| [&login, step.as_slice()].concat()).collect();
    for (n, some) in (0_u8..).zip(steps.chunks(5)) {
        let segments = [Op::Segments as u8, n % 9, Op::Admission as u8, n];
        seeds.push([&segments, &login[..], &some.concat(), &[Op::Wait as u8, 40, Op::Finish as u8]].concat());
    }
    for (_, frame) in frames.iter().filter(|(_, frame)| frame.len() < 200) {
        let raw = [&[Op::Raw as u8, u8::try_from(frame.len()).unwrap_or_default()], frame.as_slice()].concat();
        let topin = [Op::TopinLogin as u8, 0];
        seeds.push([&topin, raw.as_slice()].concat());
        seeds.push([raw.as_slice(), &[Op::Junk as u8, 0x78, 40, Op::Wait as u8, 3], &login, &raw].concat());
    }
    let command = |text: &str, lifetime: u8| {
        let length = u8::try_from(text.len()).unwrap_or_default();
        [&[Op::Command as u8, length], text.as_bytes(), &[lifetime]].concat()
    };
    let answer = |which: u8, text: &str| {
        let length = u8::try_from(text.len()).unwrap_or_default();
        [&[Op::Answer as u8, which, length], text.as_bytes()].concat()
    };
    let (relay, status) = (command("RELAY,1#", 60), command("STATUS#", 60));
    seeds.push([&login, relay.as_slice(), &status, &answer(1, "OK"), &answer(0, "DONE")].concat());
    seeds.push([relay.as_slice(), &login, &answer(1, "OK"), &[Op::Login as u8, 2], &status].concat());
    seeds.push([&[Op::Admission as u8, 255], &login[..], &relay].concat());
    seeds.push([&[Op::Busy as u8], &login[..], &relay, &steps[0], &[Op::Busy as u8], &steps[1]].concat());
    seeds
}

fn requests(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for body in bodies {
        for (flags, pick) in [(0, 0), (KEYED | LIMITS, 8), (KEYED | BOXED | NONCE | USER, 64)] {
            seeds.push([&[flags, pick], body.as_slice()].concat());
        }
        let query = b"u=jane&d=phone&x=1";
        seeds.push([&[QUERY, 0, 18], query.as_slice(), body].concat());
    }
    seeds
}

fn texts(frames: &[(Option<String>, Vec<u8>)], bodies: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut seeds = bodies.to_vec();
    for protocol in ["gt06", "owntracks"] {
        let heads = fixtures(protocol)?;
        seeds.extend(heads.iter().filter_map(|text| Some(text.split("---").next()?.as_bytes().to_vec())));
    }
    for (n, (_, frame)) in frames.iter().enumerate() {
        let digits = hex(frame);
        let pairs: Vec<String> = frame.iter().map(|byte| format!("{byte:02X}")).collect();
        seeds.push(
            match n % 8 {
                0 => digits,
                1 => pairs.join(" "),
                2 => format!("0x{}", pairs.join(", 0x")),
                3 => format!("2024-02-03 10:11:12  INFO: [Te3c4e6ff: gt06 < 192.0.2.7] {digits}"),
                4 => format!("2024-02-03 10:11:12 DEBUG: [5023 <- 192.0.2.7] - (HEX: {digits})"),
                5 => serde_json::to_string(frame)?,
                6 => format!("{{\"type\":\"Buffer\",\"data\":{}}}", serde_json::to_string(frame)?),
                _ => format!("b'\\x{}'", pairs.join("\\x")),
            }
            .into_bytes(),
        );
    }
    for body in bodies {
        seeds.push([b"2024-02-03T10:11:12Z\towntracks/jane/phone\t", body.as_slice()].concat());
        seeds.push([b"POST /pub HTTP/1.1\r\nHost: x\r\n\r\n", body.as_slice()].concat());
    }
    Ok(seeds)
}
