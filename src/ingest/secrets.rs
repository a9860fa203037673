//! Credentials in bytes that are kept although they are no packet: a request that a phone sends to the wrong port, or not to its end.
//!
//! What is kept is read by whoever may look at packets, and sent along when somebody asks for help with one. So the value of a header that
//! carries credentials is overwritten, letter by letter: everything else stays where it was.

/// Header lines whose value is nobody's business.
const HEADERS: [&[u8]; 3] = [b"authorization:", b"proxy-authorization:", b"cookie:"];

/// Overwrites credentials in what may be an HTTP request. True where there were any.
pub(super) fn mask(bytes: &mut [u8]) -> bool {
    let mut masked = false;
    for line in bytes.split_mut(|&b| b == b'\n') {
        let Some(header) = HEADERS.iter().find(|h| line.get(..h.len()).is_some_and(|l| l.eq_ignore_ascii_case(h)))
        else {
            continue;
        };
        for byte in line.iter_mut().skip(header.len()).filter(|b| !b.is_ascii_whitespace()) {
            *byte = b'*';
            masked = true;
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;

    fn masked(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        mask(&mut bytes);
        String::from_utf8(bytes).expect("only stars are new")
    }

    #[test]
    fn credentials_become_stars_and_nothing_moves() {
        let request = "POST / HTTP/1.1\r\nAUTHORIZATION: Basic amFuZTpzZWNyZXQ=\r\nHost: x\r\ncookie:a=b\r\n\r\n{}";
        let kept = masked(request);
        assert_eq!(kept, "POST / HTTP/1.1\r\nAUTHORIZATION: ***** ****************\r\nHost: x\r\ncookie:***\r\n\r\n{}");
        assert_eq!(kept.len(), request.len());
    }

    #[test]
    fn a_value_that_is_cut_off_is_masked_too() {
        assert_eq!(masked("Proxy-Authorization: Basic amFu"), "Proxy-Authorization: ***** ****");
        assert_eq!(masked("the word authorization: stands in a text"), "the word authorization: stands in a text");
    }
}
