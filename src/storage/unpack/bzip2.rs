//! Reads bzip2, which archives may be compressed with (Podman takes them; no layer may be). A decoder of our own, because
//! the crates that do it would cost more of the binary than this file does. The format has no specification but the
//! program, bzip2 1.0.8; Joe Tsai's "BZIP2: Format Specification" (2016) describes it.
#![expect(
    clippy::cast_possible_truncation,
    reason = "places and lengths are at most 900,000; bytes are taken off the low end of words on purpose"
)]

use std::io::{self, BufRead, Read};

/// Begins a block: the digits of pi.
const BLOCK: u64 = 0x3141_5926_5359;
/// Ends a stream: the digits of its square root.
const END: u64 = 0x1772_4538_5090;
/// Symbols that are coded with one table before the next is chosen.
const GROUP: usize = 50;
/// Selectors that a block of 900,000 bytes can use.
const SELECTORS: usize = 18_002;
/// Longest code, in bits.
const LONGEST: usize = 20;

/// Decompresses one stream, or several one after another.
pub(super) struct Bzip2Reader<R> {
    bits: Bits<R>,
    /// Most bytes that a block of this stream has; 0 before its first.
    largest: usize,
    /// The block: in the low 8 bits a byte, above it the place of the one that follows.
    block: Vec<u32>,
    at: u32,
    left: usize,
    /// The last byte, how often it came, and how often it is still to come.
    last: u8,
    same: u8,
    repeat: usize,
    crc: Crc,
    /// What the block and the stream say that their checksums are.
    expected: Option<u32>,
    combined: u32,
}

impl<R: BufRead> Bzip2Reader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            bits: Bits { input, held: 0, count: 0 },
            largest: 0,
            block: Vec::new(),
            at: 0,
            left: 0,
            last: 0,
            same: 0,
            repeat: 0,
            crc: Crc::default(),
            expected: None,
            combined: 0,
        }
    }

    /// Makes the next block ready; false at the end of the last stream.
    fn next_block(&mut self) -> io::Result<bool> {
        if let Some(expected) = self.expected.take() {
            if self.crc.value() != expected {
                return Err(invalid("the checksum of a block is wrong"));
            }
            self.combined = self.combined.rotate_left(1) ^ expected;
        }
        loop {
            if self.largest == 0 && !self.begin_stream()? {
                return Ok(false);
            }
            match u64::from(self.bits.take(24)?) << 24 | u64::from(self.bits.take(24)?) {
                BLOCK => {
                    self.read_block()?;
                    return Ok(true);
                }
                END => {
                    if self.bits.take(32)? != self.combined {
                        return Err(invalid("the checksum of the stream is wrong"));
                    }
                    self.bits.align();
                    self.largest = 0;
                }
                _ => return Err(invalid("no block where one should begin")),
            }
        }
    }

    fn begin_stream(&mut self) -> io::Result<bool> {
        if self.bits.is_at_end()? {
            return Ok(false);
        }
        if self.bits.take(24)? != u32::from_be_bytes([0, b'B', b'Z', b'h']) {
            return Err(invalid("other bytes follow the end of the stream"));
        }
        let level = self.bits.take(8)?.wrapping_sub(u32::from(b'0'));
        if !(1..=9).contains(&level) {
            return Err(invalid("unknown size of blocks"));
        }
        self.largest = level as usize * 100_000;
        self.combined = 0;
        Ok(true)
    }

    fn read_block(&mut self) -> io::Result<()> {
        self.expected = Some(self.bits.take(32)?);
        if self.bits.take(1)? != 0 {
            return Err(invalid("a randomised block, as bzip2 before 0.9.5 wrote them"));
        }
        let origin = self.bits.take(24)? as usize;
        let symbols = self.used_bytes()?;
        let alphabet = symbols.len() + 2;
        let table_count = self.bits.take(3)? as usize;
        if !(2..=6).contains(&table_count) {
            return Err(invalid("wrong number of code tables"));
        }
        let selectors = self.selectors(table_count)?;
        let tables = (0..table_count).map(|_| self.table(alphabet)).collect::<io::Result<Vec<_>>>()?;
        self.read_symbols(symbols, &selectors, &tables)?;
        if origin >= self.block.len() {
            return Err(invalid("a block begins behind its end"));
        }
        self.invert();
        self.at = self.block[origin] >> 8;
        self.left = self.block.len();
        (self.same, self.repeat, self.crc) = (0, 0, Crc::default());
        Ok(())
    }

    /// Bytes that occur in the block.
    fn used_bytes(&mut self) -> io::Result<Vec<u8>> {
        let ranges = self.bits.take(16)?;
        let mut symbols = Vec::with_capacity(256);
        for range in (0..16_u8).filter(|range| ranges & (0x8000 >> range) != 0) {
            let used = self.bits.take(16)?;
            symbols.extend((0..16_u8).filter(|low| used & (0x8000 >> low) != 0).map(|low| range << 4 | low));
        }
        if symbols.is_empty() { Err(invalid("a block of no bytes")) } else { Ok(symbols) }
    }

    /// Which table is used for which group of symbols; kept as places in a list that moves what was used to its front.
    fn selectors(&mut self, table_count: usize) -> io::Result<Vec<u8>> {
        let count = self.bits.take(15)? as usize;
        let mut order: Vec<u8> = (0..6).collect();
        let mut selectors = Vec::with_capacity(count.min(SELECTORS));
        for _ in 0..count {
            let mut place = 0;
            while self.bits.take(1)? != 0 {
                place += 1;
                if place >= table_count {
                    return Err(invalid("a selector of no table"));
                }
            }
            order[..=place].rotate_right(1);
            // Some writers leave more of them than there can be groups.
            if selectors.len() < SELECTORS {
                selectors.push(order[0]);
            }
        }
        if selectors.is_empty() { Err(invalid("a block without selectors")) } else { Ok(selectors) }
    }

    /// A table of codes: their lengths as differences.
    fn table(&mut self, alphabet: usize) -> io::Result<Codes> {
        let mut length = self.bits.take(5)? as usize;
        let mut lengths = Vec::with_capacity(alphabet);
        for _ in 0..alphabet {
            loop {
                if !(1..=LONGEST).contains(&length) {
                    return Err(invalid("a code of impossible length"));
                }
                if self.bits.take(1)? == 0 {
                    break;
                }
                length = if self.bits.take(1)? == 0 { length + 1 } else { length - 1 };
            }
            lengths.push(length);
        }
        Ok(Codes::new(&lengths))
    }

    /// The bytes of the block before they are put in order: codes, runs of the byte in front, places in the list.
    fn read_symbols(&mut self, mut recent: Vec<u8>, selectors: &[u8], tables: &[Codes]) -> io::Result<()> {
        let end = recent.len() as u16 + 1;
        self.block.clear();
        let (mut run, mut weight) = (0_usize, 1_usize);
        for selector in selectors {
            let codes = &tables[usize::from(*selector)];
            for _ in 0..GROUP {
                let symbol = codes.read(&mut self.bits)?;
                if symbol < 2 {
                    // A number in digits 1 and 2, the least first.
                    run += weight << symbol;
                    weight <<= 1;
                    if run > self.largest {
                        return Err(invalid("a block is too long"));
                    }
                    continue;
                }
                if self.block.len() + run + usize::from(symbol != end) > self.largest {
                    return Err(invalid("a block is too long"));
                }
                self.block.resize(self.block.len() + run, u32::from(recent[0]));
                (run, weight) = (0, 1);
                if symbol == end {
                    return Ok(());
                }
                let place = usize::from(symbol) - 1;
                recent[..=place].rotate_right(1);
                self.block.push(u32::from(recent[0]));
            }
        }
        Err(invalid("a block has no end"))
    }

    /// Undoes the transform of Burrows and Wheeler: gives each byte the place of the one that follows.
    fn invert(&mut self) {
        let mut places = [0_u32; 256];
        for entry in &self.block {
            places[usize::from(*entry as u8)] += 1;
        }
        let mut sum = 0;
        for place in &mut places {
            sum += std::mem::replace(place, sum);
        }
        for at in 0..self.block.len() {
            let place = &mut places[usize::from(self.block[at] as u8)];
            // Above the byte; at most 900,000, which fits.
            self.block[*place as usize] |= (at as u32) << 8;
            *place += 1;
        }
    }
}

impl<R: BufRead> Read for Bzip2Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.repeat > 0 {
                let count = self.repeat.min(buffer.len() - filled);
                buffer[filled..filled + count].fill(self.last);
                (0..count).for_each(|_| self.crc.update(self.last));
                self.repeat -= count;
                filled += count;
                continue;
            }
            if self.left == 0 {
                // What there is goes out before the next block is looked at.
                if filled > 0 || !self.next_block()? {
                    break;
                }
                continue;
            }
            let entry = self.block[self.at as usize];
            let byte = entry as u8;
            (self.at, self.left) = (entry >> 8, self.left - 1);
            if self.same == 4 {
                // Four equal bytes are followed by the number of those that were left out.
                (self.repeat, self.same) = (usize::from(byte), 0);
                continue;
            }
            self.same = if self.same > 0 && byte == self.last { self.same + 1 } else { 1 };
            self.last = byte;
            self.crc.update(byte);
            buffer[filled] = byte;
            filled += 1;
        }
        Ok(filled)
    }
}

/// Canonical codes: those of one length follow each other.
struct Codes {
    /// For each length: the first code that is longer, and what to take off a code to find its symbol.
    limits: [(u32, u32); LONGEST + 1],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[usize]) -> Self {
        let mut limits = [(0, 0); LONGEST + 1];
        let mut symbols = Vec::with_capacity(lengths.len());
        let mut code = 0_u32;
        for (length, limit) in limits.iter_mut().enumerate().skip(1) {
            code <<= 1;
            // Wraps where more codes are shorter than there can be; such codes are never found below.
            let base = code.wrapping_sub(symbols.len() as u32);
            symbols.extend((0..lengths.len() as u16).filter(|symbol| lengths[usize::from(*symbol)] == length));
            code = base.wrapping_add(symbols.len() as u32);
            *limit = (code, base);
        }
        Self { limits, symbols }
    }

    fn read<R: BufRead>(&self, bits: &mut Bits<R>) -> io::Result<u16> {
        let mut code = 0;
        for (limit, base) in &self.limits[1..] {
            code = code << 1 | bits.take(1)?;
            if code < *limit {
                let found = self.symbols.get(code.wrapping_sub(*base) as usize);
                return found.copied().ok_or_else(|| invalid("a code of no symbol"));
            }
        }
        Err(invalid("a code of no symbol"))
    }
}

/// Bits, the highest of each byte first.
struct Bits<R> {
    input: R,
    held: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> io::Result<u32> {
        while self.count < count {
            let Some(byte) = self.input.fill_buf()?.first().copied() else {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the stream ends in the middle"));
            };
            self.input.consume(1);
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
        self.count -= count;
        Ok((self.held >> self.count) as u32 & (u64::MAX >> (64 - count)) as u32)
    }

    /// Leaves what is left of a byte out.
    fn align(&mut self) {
        self.count -= self.count % 8;
    }

    fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.count == 0 && self.input.fill_buf()?.is_empty())
    }
}

/// The checksum: CRC-32 with the highest bit first.
struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Crc {
    fn update(&mut self, byte: u8) {
        self.0 = self.0 << 8 ^ TABLE[(self.0 >> 24) as usize ^ usize::from(byte)];
    }

    fn value(&self) -> u32 {
        !self.0
    }
}

static TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut value, mut bit) = ((at as u32) << 24, 0);
        while bit < 8 {
            value = if value & 0x8000_0000 == 0 { value << 1 } else { value << 1 ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::Bzip2Reader;

    /// By bzip2 1.0.8, without options: 1,500 lines `N squared is N*N`, then 1,000 zeros.
    const LINES: &str = include_str!("tests/lines.bz2.base64");
    /// `bzip2 -1` of 250,000 bytes of period 256, byte N being N*N/7: three blocks.
    const BLOCKS: &str = include_str!("tests/blocks.bz2.base64");
    /// `bzip2 </dev/null`.
    const EMPTY: [u8; 14] = [b'B', b'Z', b'h', b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0, 0, 0, 0];

    fn bytes(text: &str) -> Vec<u8> {
        use base64::Engine as _;
        let text: String = text.split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    }

    fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Bzip2Reader::new(bytes).read_to_end(&mut all).map(|_| all)
    }

    fn lines() -> Vec<u8> {
        let mut text: String = (0..1500_u32).map(|n| format!("{n} squared is {}\n", n * n)).collect();
        text.push_str(&"\0".repeat(1000));
        text.into_bytes()
    }

    #[test]
    fn what_bzip2_makes_is_read() {
        let blocks: Vec<u8> = (0..250_000_u32).map(|n| ((n % 256) * (n % 256) / 7) as u8).collect();
        assert!(unpacked(&bytes(LINES)).expect("lines") == lines());
        assert!(unpacked(&bytes(BLOCKS)).expect("blocks") == blocks);
        assert_eq!(unpacked(&EMPTY).expect("empty"), b"");
        let joined = [bytes(LINES), EMPTY.to_vec(), bytes(BLOCKS), bytes(LINES)].concat();
        assert!(unpacked(&joined).expect("joined") == [lines(), blocks, lines()].concat());
    }

    #[test]
    fn a23_damage_is_told() {
        let good = bytes(LINES);
        for cut in (0..good.len()).step_by(97).chain([good.len() - 1]).filter(|cut| *cut > 0) {
            assert!(unpacked(&good[..cut]).is_err(), "cut at {cut}");
        }
        for at in (0..good.len() - 1).step_by(13) {
            let mut changed = good.clone();
            changed[at] ^= 1 << (at % 8);
            assert!(unpacked(&changed).is_err(), "byte {at} changed");
        }
        let error = unpacked(&[&good[..], b"rest"].concat()).expect_err("garbage");
        assert!(error.to_string().contains("follow"), "{error}");
    }
}
