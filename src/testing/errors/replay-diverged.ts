/** The program does not take the path any more that a schedule was recorded on. */
export class ReplayDiverged extends Error {
  override readonly name = "ReplayDiverged";
}
