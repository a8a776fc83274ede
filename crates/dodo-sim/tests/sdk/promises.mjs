// What the SDK's own type declarations promise of a value, checked on the value. The declarations are read through
// the TypeScript compiler, so that no list of fields is kept here.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PROBE = join(dirname(fileURLToPath(import.meta.url)), 'probe.ts');

/**
 * Compiles type expressions and gives back one checker per name.
 * @param {Record<string, string>} expressions such as `{ create: "Answer<Client['checkoutSessions']['create']>" }`
 */
export function promises(expressions) {
  const source = [
    "import type DodoPayments from 'dodopayments';",
    "import type { WebhookPayload } from 'dodopayments/resources/webhook-events';",
    'type Client = InstanceType<typeof DodoPayments>;',
    'type Answer<M extends (...args: any[]) => any> = Awaited<ReturnType<M>>;',
    "type Item<M extends (...args: any[]) => any> = Answer<M> extends { items: Array<infer I> } ? I : never;",
    'export type Webhook = WebhookPayload;',
    ...Object.entries(expressions).map(([name, type]) => `export declare const ${name}: ${type};`),
  ].join('\n');
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === PROBE ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022, true) : read(name, ...rest);
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === PROBE || exists(name);
  const program = ts.createProgram([PROBE], options, host);
  const file = program.getSourceFile(PROBE);
  const problems = [...program.getSemanticDiagnostics(file), ...program.getSyntacticDiagnostics(file)];
  if (problems.length > 0) {
    const words = problems.map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, '\n'));
    throw new Error(`the SDK's types could not be read:\n${words.join('\n')}`);
  }
  const checker = program.getTypeChecker();
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file));
  const types = new Map(
    symbols.map((symbol) => [symbol.name, checker.getTypeOfSymbolAtLocation(symbol, file)]),
  );
  const walker = new Walker(checker, file);
  return Object.fromEntries(
    Object.keys(expressions).map((name) => {
      const type = types.get(name);
      if (!type || type.flags & (ts.TypeFlags.Never | ts.TypeFlags.Any)) {
        throw new Error(`the SDK has no type for ${name}`);
      }
      return [name, (value) => walker.check(value, type, name)];
    }),
  );
}

class Walker {
  constructor(checker, file) {
    this.checker = checker;
    this.file = file;
    /** Fields looked at, so that a check of nothing is noticed. */
    this.fields = 0;
  }

  /** @returns {string[]} what is wrong, in words */
  check(value, type, path) {
    const F = ts.TypeFlags;
    if (type.isUnion()) return this.union(value, type, path);
    if (type.flags & (F.Any | F.Unknown)) return [];
    if (type.flags & F.Null) return value === null ? [] : [`${path}: not null`];
    if (type.flags & F.Undefined) return value === undefined ? [] : [`${path}: not absent`];
    if (type.isStringLiteral() || type.isNumberLiteral()) {
      return value === type.value ? [] : [`${path}: ${shown(value)} is not ${shown(type.value)}`];
    }
    if (type.flags & F.BooleanLiteral) {
      return String(value) === this.checker.typeToString(type) ? [] : [`${path}: ${shown(value)}`];
    }
    if (type.flags & F.String) return this.primitive(value, 'string', path);
    if (type.flags & F.Number) return this.primitive(value, 'number', path);
    if (type.flags & F.Boolean) return this.primitive(value, 'boolean', path);
    if (this.checker.isArrayType(type)) return this.array(value, type, path);
    return this.object(value, type, path);
  }

  primitive(value, kind, path) {
    return typeof value === kind ? [] : [`${path}: ${shown(value)} is no ${kind}`];
  }

  union(value, type, path) {
    const tries = type.types.map((member) => this.check(value, member, path));
    const best = tries.sort((a, b) => a.length - b.length)[0];
    if (best.length === 0) return [];
    // Of many refusals the object's is the one that helps: it names the field.
    const deepest = tries.find((words) => words.some((word) => !word.startsWith(`${path}:`)));
    return deepest ?? [`${path}: ${shown(value)} fits none of ${this.checker.typeToString(type)}`];
  }

  array(value, type, path) {
    if (!Array.isArray(value)) return [`${path}: ${shown(value)} is no list`];
    const [item] = this.checker.getTypeArguments(type);
    return value.flatMap((each, at) => this.check(each, item, `${path}[${at}]`));
  }

  object(value, type, path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return [`${path}: ${shown(value)} is no object`];
    }
    const wrong = [];
    for (const property of type.getProperties()) {
      const at = `${path}.${property.name}`;
      this.fields += 1;
      // Optional fields are promised too: the service sends them, null when there is nothing.
      if (!(property.name in value)) {
        wrong.push(`${at}: missing`);
        continue;
      }
      const promised = this.checker.getTypeOfSymbolAtLocation(property, this.file);
      wrong.push(...this.check(value[property.name], promised, at));
    }
    const index = this.checker.getIndexInfoOfType(type, ts.IndexKind.String);
    if (index) {
      for (const [key, each] of Object.entries(value)) {
        wrong.push(...this.check(each, index.type, `${path}.${key}`));
      }
    }
    return wrong;
  }
}

function shown(value) {
  return JSON.stringify(value) ?? 'undefined';
}
