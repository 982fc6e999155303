/** Says what happens, for people: headings, commands, output. Colours only where somebody looks. */
export interface Narrator {
  heading(text: string): void;
  say(text: string): void;
  /** A command that a person would have typed. */
  command(text: string): void;
  /** What a program printed. */
  output(text: string): void;
}

export interface NarratorOptions {
  write(text: string): void;
  readonly colour: boolean;
}

const INDENT = "    ";

export function createNarrator({ write, colour }: NarratorOptions): Narrator {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let chapter = 0;
  return {
    heading(text) {
      chapter += 1;
      write(`\n${paint(1, `${chapter}. ${text}`)}\n`);
    },
    say: (text) => write(`   ${text}\n`),
    command: (text) => write(`   ${paint(36, `$ ${text}`)}\n`),
    output: (text) => write(`${text.replace(/^/gm, INDENT).trimEnd()}\n`),
  };
}
