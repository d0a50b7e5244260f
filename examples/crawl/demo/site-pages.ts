// The regular pages of the demo site: a home page, one page for each package, one for each document, one for each of its sections.
import { readFile } from "node:fs/promises";
import type { Document } from "./documents.js";
import { htmlPage, linkList } from "./html.js";
import { type Section, sectionsOf } from "./sections.js";

/** Gives the HTML of a path, or `undefined` if there is no such page. */
export type Pages = (path: string) => Promise<string | undefined>;

export function sitePages(documents: readonly Document[], odd: readonly string[]): Pages {
  const byPath = new Map(documents.map((document) => [pathOf(document), document]));
  const folders = new Map<string, Document[]>();
  for (const document of documents) {
    const path = encodeURI(`/${document.folder}/`);
    folders.set(path, [...(folders.get(path) ?? []), document]);
  }
  const sections = new Map<Document, Promise<Section[]>>();

  return async (path) => {
    const { pathname, searchParams } = new URL(`http://demo${path}`);
    if (pathname === "/") return homePage([...folders.keys()], odd);
    const document = byPath.get(pathname);
    if (document !== undefined) return documentPage(document, Number(searchParams.get("section") ?? 0));
    const inFolder = folders.get(pathname);
    return inFolder === undefined ? undefined : folderPage(pathname, inFolder);
  };

  async function documentPage(document: Document, number: number): Promise<string | undefined> {
    const { folder, name, file } = document;
    if (!name.endsWith(".md")) return readFile(file, "utf8");
    const all = await sectionsIn(document);
    const section = all[number];
    if (section === undefined) return undefined;
    const path = pathOf(document);
    const contents = all.slice(1).map(({ title }, i) => ({ href: `${path}?section=${i + 1}`, text: title }));
    const links = number === 0 ? contents : [{ href: path, text: name }];
    return htmlPage(`${section.title || name} (${folder})`, section.html() + linkList(links));
  }

  /** Each document is parsed once. */
  function sectionsIn(document: Document): Promise<Section[]> {
    const known = sections.get(document) ?? readFile(document.file, "utf8").then(sectionsOf);
    sections.set(document, known);
    return known;
  }
}

function pathOf({ folder, name }: Document): string {
  return encodeURI(`/${folder}/${name}`);
}

function homePage(folders: readonly string[], odd: readonly string[]): string {
  const links = (paths: readonly string[]) => linkList(paths.map((path) => ({ href: path, text: path })));
  return htmlPage("Documents of this machine", `${links(folders)}<h2>Pages that misbehave</h2>${links(odd)}`);
}

function folderPage(path: string, documents: readonly Document[]): string {
  return htmlPage(path, linkList(documents.map((document) => ({ href: pathOf(document), text: document.name }))));
}
