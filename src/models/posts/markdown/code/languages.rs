//! The languages that are colored, and their words.

use super::grammar::*;

#[rustfmt::skip]
pub static LANGUAGES: &[Language] = &[
    // Rust
    Language {
        names: &["rust", "rs"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[RAW_TEXT, TEXT_OF_LINES, LETTER],
        keywords: &[
            "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum",
            "extern", "fn", "for", "if", "impl", "in", "let", "loop", "macro_rules", "match", "mod",
            "move", "mut", "pub", "ref", "return", "self", "static", "struct", "super", "trait",
            "type", "union", "unsafe", "use", "where", "while", "yield",
        ],
        constants: &["None", "false", "true"],
        types: &[
            "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize", "str", "u128",
            "u16", "u32", "u64", "u8", "usize",
        ],
        signs: &["#![", "#["],
        has_types: true,
        ..PLAIN
    },
    // Python
    Language {
        names: &["python", "py", "python3"],
        line_comments: &["#"],
        quotes: &[LONG_TEXT, LONG_QUOTE, TEXT, PREFIXED_QUOTE],
        keywords: &[
            "and", "as", "assert", "async", "await", "break", "case", "class", "continue", "def",
            "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
            "in", "is", "lambda", "match", "nonlocal", "not", "or", "pass", "raise", "return",
            "try", "while", "with", "yield",
        ],
        constants: &["False", "None", "True"],
        types: &["bool", "bytes", "dict", "float", "int", "list", "object", "set", "str", "tuple"],
        signs: &["@"],
        has_types: true,
        ..PLAIN
    },
    // JavaScript and TypeScript
    Language {
        names: &["javascript", "js", "jsx", "mjs", "typescript", "ts", "tsx"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT, QUOTE, TEMPLATE],
        keywords: &[
            "abstract", "as", "async", "await", "break", "case", "catch", "class", "const",
            "continue", "debugger", "declare", "default", "delete", "do", "else", "enum", "export",
            "extends", "finally", "for", "from", "function", "get", "if", "implements", "import",
            "in", "instanceof", "interface", "keyof", "let", "namespace", "new", "of", "private",
            "protected", "public", "readonly", "return", "satisfies", "set", "static", "super",
            "switch", "this", "throw", "try", "type", "typeof", "var", "void", "while", "with",
            "yield",
        ],
        constants: &["Infinity", "NaN", "false", "null", "true", "undefined"],
        types: &[
            "any", "bigint", "boolean", "never", "number", "object", "string", "symbol", "unknown",
        ],
        signs: &["@"],
        in_words: "$",
        has_types: true,
        ..PLAIN
    },
    // Go
    Language {
        names: &["go", "golang"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT, LETTER, TEMPLATE],
        keywords: &[
            "break", "case", "chan", "const", "continue", "default", "defer", "else", "fallthrough",
            "for", "func", "go", "goto", "if", "import", "interface", "map", "package", "range",
            "return", "select", "struct", "switch", "type", "var",
        ],
        constants: &["false", "iota", "nil", "true"],
        types: &[
            "any", "bool", "byte", "complex128", "complex64", "error", "float32", "float64", "int",
            "int16", "int32", "int64", "int8", "rune", "string", "uint", "uint16", "uint32",
            "uint64", "uint8", "uintptr",
        ],
        ..PLAIN
    },
    // C and C++
    Language {
        names: &["c", "h", "cpp", "c++", "cc", "cxx", "hpp"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT, LETTER],
        keywords: &[
            "alignas", "alignof", "auto", "break", "case", "catch", "class", "co_await",
            "co_return", "co_yield", "concept", "const", "const_cast", "consteval", "constexpr",
            "constinit", "continue", "decltype", "default", "delete", "do", "dynamic_cast", "else",
            "enum", "explicit", "export", "extern", "final", "for", "friend", "goto", "if",
            "inline", "mutable", "namespace", "new", "noexcept", "operator", "override", "private",
            "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
            "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template",
            "this", "thread_local", "throw", "try", "typedef", "typeid", "typename", "union",
            "using", "virtual", "volatile", "while",
        ],
        constants: &["NULL", "false", "nullptr", "true"],
        types: &[
            "bool", "char", "char16_t", "char32_t", "char8_t", "double", "float", "int", "int16_t",
            "int32_t", "int64_t", "int8_t", "long", "short", "signed", "size_t", "ssize_t",
            "uint16_t", "uint32_t", "uint64_t", "uint8_t", "unsigned", "void", "wchar_t",
        ],
        signs: &["#"],
        ..PLAIN
    },
    // Java
    Language {
        names: &["java"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[LONG_TEXT, TEXT, QUOTE],
        keywords: &[
            "abstract", "assert", "break", "case", "catch", "class", "const", "continue", "default",
            "do", "else", "enum", "extends", "final", "finally", "for", "goto", "if", "implements",
            "import", "instanceof", "interface", "native", "new", "package", "permits", "private",
            "protected", "public", "record", "return", "sealed", "static", "strictfp", "super",
            "switch", "synchronized", "this", "throw", "throws", "transient", "try", "var",
            "volatile", "while", "yield",
        ],
        constants: &["false", "null", "true"],
        types: &["boolean", "byte", "char", "double", "float", "int", "long", "short", "void"],
        signs: &["@"],
        has_types: true,
        ..PLAIN
    },
    // C#
    Language {
        names: &["csharp", "cs", "c#"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[LONG_TEXT, TEXT, QUOTE],
        keywords: &[
            "abstract", "as", "async", "await", "base", "break", "case", "catch", "checked",
            "class", "const", "continue", "default", "delegate", "do", "else", "enum", "event",
            "explicit", "extern", "finally", "fixed", "for", "foreach", "get", "goto", "if",
            "implicit", "in", "init", "interface", "internal", "is", "lock", "namespace", "new",
            "operator", "out", "override", "params", "partial", "private", "protected", "public",
            "readonly", "record", "ref", "required", "return", "sealed", "set", "sizeof",
            "stackalloc", "static", "struct", "switch", "this", "throw", "try", "typeof",
            "unchecked", "unsafe", "using", "var", "virtual", "volatile", "when", "where", "while",
            "with", "yield",
        ],
        constants: &["false", "null", "true"],
        types: &[
            "bool", "byte", "char", "decimal", "double", "dynamic", "float", "int", "long", "nint",
            "object", "sbyte", "short", "string", "uint", "ulong", "ushort", "void",
        ],
        signs: &["#"],
        has_types: true,
        ..PLAIN
    },
    // Kotlin
    Language {
        names: &["kotlin", "kt", "kts"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[LONG_TEXT, TEXT, QUOTE],
        keywords: &[
            "abstract", "actual", "annotation", "as", "break", "by", "catch", "class", "companion",
            "const", "constructor", "continue", "data", "do", "else", "enum", "expect", "external",
            "final", "finally", "for", "fun", "get", "if", "import", "in", "infix", "init",
            "inline", "inner", "interface", "internal", "is", "lateinit", "object", "open",
            "operator", "out", "override", "package", "private", "protected", "public", "reified",
            "return", "sealed", "set", "super", "suspend", "tailrec", "this", "throw", "try",
            "typealias", "val", "var", "vararg", "when", "where", "while",
        ],
        constants: &["false", "null", "true"],
        signs: &["@"],
        has_types: true,
        ..PLAIN
    },
    // Swift
    Language {
        names: &["swift"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[LONG_TEXT, TEXT],
        keywords: &[
            "actor", "any", "as", "associatedtype", "async", "await", "break", "case", "catch",
            "class", "continue", "default", "defer", "deinit", "do", "else", "enum", "extension",
            "fallthrough", "fileprivate", "final", "for", "func", "get", "guard", "if", "import",
            "in", "indirect", "init", "inout", "internal", "is", "lazy", "let", "mutating", "open",
            "operator", "override", "private", "protocol", "public", "repeat", "rethrows", "return",
            "self", "set", "some", "static", "struct", "subscript", "super", "switch", "throw",
            "throws", "try", "typealias", "unowned", "var", "weak", "where", "while",
        ],
        constants: &["false", "nil", "true"],
        signs: &["@", "#"],
        has_types: true,
        ..PLAIN
    },
    // Ruby
    Language {
        names: &["ruby", "rb"],
        line_comments: &["#"],
        block_comments: &[("=begin", "=end")],
        quotes: &[TEXT_OF_LINES, QUOTE, TEMPLATE],
        keywords: &[
            "alias", "and", "attr_accessor", "attr_reader", "attr_writer", "begin", "break", "case",
            "class", "def", "defined?", "do", "else", "elsif", "end", "ensure", "extend", "for",
            "if", "in", "include", "module", "next", "not", "or", "private", "protected", "public",
            "raise", "redo", "require", "require_relative", "rescue", "retry", "return", "self",
            "super", "then", "undef", "unless", "until", "when", "while", "yield",
        ],
        constants: &["false", "nil", "true"],
        signs: &["@@", "@", "$"],
        in_words: "?!",
        has_types: true,
        spaced_comments: true,
        ..PLAIN
    },
    // PHP
    Language {
        names: &["php"],
        line_comments: &["//", "#"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT_OF_LINES, RAW_QUOTE],
        keywords: &[
            "abstract", "and", "array", "as", "break", "callable", "case", "catch", "class",
            "clone", "const", "continue", "declare", "default", "do", "echo", "else", "elseif",
            "empty", "enddeclare", "endfor", "endforeach", "endif", "endswitch", "endwhile", "enum",
            "extends", "final", "finally", "fn", "for", "foreach", "function", "global", "goto",
            "if", "implements", "include", "include_once", "instanceof", "insteadof", "interface",
            "isset", "list", "match", "namespace", "new", "or", "print", "private", "protected",
            "public", "readonly", "require", "require_once", "return", "static", "switch", "throw",
            "trait", "try", "unset", "use", "var", "while", "xor", "yield",
        ],
        constants: &["FALSE", "NULL", "TRUE", "false", "null", "true"],
        types: &["bool", "float", "int", "iterable", "mixed", "never", "object", "string", "void"],
        signs: &["$"],
        has_types: true,
        ..PLAIN
    },
    // Shells
    Language {
        names: &["shell", "bash", "sh", "zsh"],
        line_comments: &["#"],
        quotes: &[TEXT_OF_LINES, RAW_QUOTE],
        keywords: &[
            "case", "declare", "do", "done", "elif", "else", "esac", "eval", "exec", "exit",
            "export", "fi", "for", "function", "if", "in", "local", "readonly", "return", "select",
            "set", "shift", "source", "test", "then", "trap", "unset", "until", "while",
        ],
        constants: &["false", "true"],
        signs: &["${", "$"],
        in_words: "-",
        spaced_comments: true,
        ..PLAIN
    },
    // SQL
    Language {
        names: &["sql", "postgresql", "sqlite", "mysql"],
        line_comments: &["--"],
        block_comments: &[("/*", "*/")],
        quotes: &[RAW_QUOTE, TEXT],
        keywords: &[
            "add", "all", "alter", "and", "any", "as", "asc", "begin", "between", "by", "cascade",
            "case", "check", "collate", "column", "commit", "conflict", "constraint", "create",
            "cross", "current_date", "current_timestamp", "database", "default", "deferrable",
            "delete", "desc", "distinct", "do", "drop", "else", "end", "except", "exists",
            "explain", "fetch", "filter", "first", "following", "for", "foreign", "from", "full",
            "function", "group", "having", "if", "ilike", "in", "index", "inner", "insert",
            "intersect", "into", "is", "isolation", "join", "key", "last", "lateral", "left",
            "like", "limit", "lock", "materialized", "natural", "not", "nothing", "nulls", "of",
            "offset", "on", "only", "or", "order", "outer", "over", "partition", "preceding",
            "primary", "procedure", "range", "recursive", "references", "release", "rename",
            "replace", "returning", "right", "rollback", "row", "rows", "savepoint", "select",
            "set", "start", "table", "temporary", "then", "to", "transaction", "trigger",
            "truncate", "union", "unique", "update", "using", "values", "view", "when", "where",
            "window", "with",
        ],
        constants: &["false", "null", "true"],
        types: &[
            "bigint", "bigserial", "blob", "boolean", "bytea", "char", "date", "decimal", "double",
            "float", "int", "integer", "interval", "json", "jsonb", "numeric", "real", "serial",
            "smallint", "text", "time", "timestamp", "timestamptz", "uuid", "varchar",
        ],
        ignores_case: true,
        ..PLAIN
    },
    // JSON
    Language {
        names: &["json", "jsonc", "json5"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT, QUOTE],
        constants: &["false", "null", "true"],
        keys: KeySign::Colon,
        ..PLAIN
    },
    // YAML
    Language {
        names: &["yaml", "yml"],
        line_comments: &["#"],
        quotes: &[TEXT_OF_LINES, QUOTE],
        constants: &["false", "no", "null", "off", "on", "true", "yes"],
        keys: KeySign::ColonAndSpace,
        signs: &["&", "*"],
        in_words: "-./",
        spaced_comments: true,
        ..PLAIN
    },
    // TOML and INI
    Language {
        names: &["toml", "ini", "conf"],
        line_comments: &["#", ";"],
        quotes: &[LONG_TEXT, LONG_QUOTE, TEXT, QUOTE],
        constants: &["false", "true"],
        keys: KeySign::Equals,
        in_words: "-.",
        spaced_comments: true,
        ..PLAIN
    },
    // CSS
    Language {
        names: &["css", "scss", "less"],
        line_comments: &["//"],
        block_comments: &[("/*", "*/")],
        quotes: &[TEXT, QUOTE],
        keywords: &["important"],
        keys: KeySign::ColonAndSpace,
        signs: &["@", "$"],
        in_words: "-",
        spaced_comments: true,
        ..PLAIN
    },
];
