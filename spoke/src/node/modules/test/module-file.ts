/** What a .ko says of itself, as far as kmod's tools read it. */
export type ModuleFacts = {
  name: string;
  /** Symbols for others. */
  exports?: readonly string[];
  /** Symbols of others. */
  needs?: readonly string[];
  /** Fields of .modinfo, e.g. `depends=raid6_pq,xor`. */
  info?: readonly string[];
};

const [HEADER_BYTES, SECTION_BYTES, SYMBOL_BYTES] = [64, 64, 24];
const SECTION = { progbits: 1, symtab: 2, strtab: 3 };
const GLOBAL_OBJECT = 0x11;
const ABSOLUTE = 0xfff1;

/**
 * A relocatable ELF64 file with the three sections that depmod and modinfo read: no kernel would load it, and no compiler
 * is needed to make it.
 */
export function moduleFile({ name, exports = [], needs = [], info = [] }: ModuleFacts): Buffer {
  const symbolNames = [...exports.map((symbol) => `__ksymtab_${symbol}`), ...needs];
  const names = stringTable(symbolNames);
  const symbols = symbolNames.map((symbol, index) =>
    symbolEntry(names.offsets.get(symbol) ?? 0, index < exports.length ? ABSOLUTE : 0),
  );
  const sections = [
    { name: '', type: 0, content: Buffer.alloc(0) },
    { name: '.modinfo', type: SECTION.progbits, content: text([`name=${name}`, 'license=GPL', ...info]) },
    { name: '__ksymtab_strings', type: SECTION.progbits, content: text(exports) },
    { name: '.symtab', type: SECTION.symtab, content: Buffer.concat([Buffer.alloc(SYMBOL_BYTES), ...symbols]) },
    { name: '.strtab', type: SECTION.strtab, content: names.content },
  ];
  const sectionNames = stringTable([...sections.map((section) => section.name), '.shstrtab']);
  const all = [...sections, { name: '.shstrtab', type: SECTION.strtab, content: sectionNames.content }];
  let offset = HEADER_BYTES;
  const headers = all.map((section) => {
    const header = sectionHeader(sectionNames.offsets.get(section.name) ?? 0, section, offset);
    offset += section.content.length;
    return header;
  });
  return Buffer.concat([elfHeader(offset, all.length), ...all.map(({ content }) => content), ...headers]);
}

const text = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\0`).join(''));

function stringTable(strings: readonly string[]) {
  const offsets = new Map<string, number>();
  let content = '\0';
  for (const string of strings) {
    offsets.set(string, string === '' ? 0 : content.length);
    if (string !== '') content += `${string}\0`;
  }
  return { offsets, content: Buffer.from(content) };
}

function symbolEntry(nameOffset: number, section: number): Buffer {
  const entry = Buffer.alloc(SYMBOL_BYTES);
  entry.writeUInt32LE(nameOffset, 0);
  entry.writeUInt8(GLOBAL_OBJECT, 4);
  entry.writeUInt16LE(section, 6);
  return entry;
}

function sectionHeader(nameOffset: number, { type, content }: { type: number; content: Buffer }, offset: number) {
  const header = Buffer.alloc(SECTION_BYTES);
  header.writeUInt32LE(nameOffset, 0);
  header.writeUInt32LE(type, 4);
  header.writeBigUInt64LE(BigInt(offset), 24);
  header.writeBigUInt64LE(BigInt(content.length), 32);
  if (type === SECTION.symtab) {
    header.writeUInt32LE(4, 40); // its names are in .strtab
    header.writeUInt32LE(1, 44);
    header.writeBigUInt64LE(BigInt(SYMBOL_BYTES), 56);
  }
  return header;
}

/** Little-endian, relocatable, x86-64; the section headers stand at the end. */
function elfHeader(sectionsAt: number, sectionCount: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(1, 16);
  header.writeUInt16LE(62, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(sectionsAt), 40);
  header.writeUInt16LE(HEADER_BYTES, 52);
  header.writeUInt16LE(SECTION_BYTES, 58);
  header.writeUInt16LE(sectionCount, 60);
  header.writeUInt16LE(sectionCount - 1, 62);
  return header;
}
