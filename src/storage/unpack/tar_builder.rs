//! Builds tars for tests, good and bad, byte by byte.

/// A tar in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct TarBuilder {
    pub(crate) bytes: Vec<u8>,
}

/// One header, to be changed at will before it is written.
#[derive(Debug, Clone)]
pub(crate) struct HeaderBuilder {
    pub(crate) block: [u8; 512],
}

impl HeaderBuilder {
    /// A ustar header of root's, mode 0644 (0755 for directories), modified at 1000 s.
    pub(crate) fn new(kind: u8, path: &str, size: u64) -> Self {
        let mut header = Self { block: [0; 512] };
        header.put(0, path.as_bytes());
        header.put(257, b"ustar\x0000");
        header.block[156] = kind;
        header.mode(if kind == b'5' { 0o755 } else { 0o644 }).owner(0, 0).octal(124, 12, size).octal(136, 12, 1000);
        header
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.block[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(crate) fn octal(&mut self, at: usize, width: usize, value: u64) -> &mut Self {
        let text = format!("{value:0width$o}\0", width = width - 1);
        self.put(at, text.as_bytes())
    }

    pub(crate) fn mode(&mut self, mode: u64) -> &mut Self {
        self.octal(100, 8, mode)
    }

    pub(crate) fn owner(&mut self, uid: u64, gid: u64) -> &mut Self {
        self.octal(108, 8, uid).octal(116, 8, gid)
    }

    pub(crate) fn link(&mut self, target: &str) -> &mut Self {
        self.put(157, target.as_bytes())
    }

    fn sealed(mut self) -> [u8; 512] {
        self.put(148, b"        ");
        let sum: u64 = self.block.iter().map(|byte| u64::from(*byte)).sum();
        let text = format!("{sum:06o}\0 ");
        self.put(148, text.as_bytes());
        self.block
    }
}

impl TarBuilder {
    /// Appends a header and its content, padded.
    pub(crate) fn entry(mut self, header: &HeaderBuilder, content: &[u8]) -> Self {
        self.bytes.extend(header.clone().sealed());
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(&HeaderBuilder::new(b'0', path, content.len() as u64), content)
    }

    pub(crate) fn dir(self, path: &str, mode: u64) -> Self {
        self.entry(HeaderBuilder::new(b'5', path, 0).mode(mode), b"")
    }

    pub(crate) fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(HeaderBuilder::new(b'2', path, 0).mode(0o777).link(target), b"")
    }

    pub(crate) fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(HeaderBuilder::new(b'1', path, 0).link(target), b"")
    }

    /// Any other kind without content.
    pub(crate) fn node(self, kind: u8, path: &str) -> Self {
        self.entry(&HeaderBuilder::new(kind, path, 0), b"")
    }

    /// An extended header with these records for the next entry.
    pub(crate) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let mut text = Vec::new();
        for (key, value) in records {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length.to_string().len() + rest != length {
                length = length.to_string().len() + rest;
            }
            text.extend(format!("{length} {key}=").as_bytes());
            text.extend(*value);
            text.push(b'\n');
        }
        self.raw_pax(&text)
    }

    /// An extended header with this content.
    pub(crate) fn raw_pax(self, text: &[u8]) -> Self {
        self.entry(&HeaderBuilder::new(b'x', "PaxHeaders/x", text.len() as u64), text)
    }

    /// The end mark.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.bytes.extend([0; 1024]);
        self.bytes
    }
}
