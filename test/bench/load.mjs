// Imports a library of the bench's own package.json: names are looked up from this folder, not from where the build is.
export const load = (name) => import(name);
