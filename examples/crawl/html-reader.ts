import { Parser } from "htmlparser2";
import { pageUrl } from "./page-url.js";

export interface Html {
  readonly title: string;
  readonly links: readonly URL[];
  readonly text: string;
}

const SILENT = new Set(["script", "style", "template", "noscript", "svg"]);

/** Takes a page in pieces, and gives its title, its links (each once) and its text. */
export class HtmlReader {
  #base: URL;
  #title = "";
  #text = "";
  #isTitle = false;
  #silence = 0;
  readonly #links = new Map<string, URL>();
  readonly #parser = new Parser({
    onopentag: (tag, attributes) => this.#open(tag, attributes),
    onclosetag: (tag) => this.#close(tag),
    ontext: (text) => this.#read(text),
  });

  constructor(url: URL) {
    this.#base = url;
  }

  write(html: string): void {
    this.#parser.write(html);
  }

  end(): Html {
    this.#parser.end();
    return { title: this.#title.replace(/\s+/g, " ").trim(), links: [...this.#links.values()], text: this.#text };
  }

  #open(tag: string, attributes: Record<string, string>): void {
    const { href } = attributes;
    if (SILENT.has(tag)) this.#silence++;
    else if (tag === "title") this.#isTitle = true;
    else if (href !== undefined) this.#link(tag, pageUrl(href, this.#base));
    this.#text += " ";
  }

  #link(tag: string, url: URL | undefined): void {
    if (url === undefined) return;
    if (tag === "base") this.#base = url;
    else if (tag === "a" || tag === "area") this.#links.set(url.href, url);
  }

  #close(tag: string): void {
    if (SILENT.has(tag)) this.#silence--;
    else if (tag === "title") this.#isTitle = false;
    this.#text += " ";
  }

  #read(text: string): void {
    if (this.#silence > 0) return;
    this.#text += text;
    if (this.#isTitle) this.#title += text;
  }
}
