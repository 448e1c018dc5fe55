/**
 * Rotations of stolen secrets that ended before anybody was reminded, and of which it was not seen that the provider refuses
 * the old one: they are looked after from now on, until a person says that it is deleted there.
 */
export function stolenSecrets(): readonly string[] {
  return [
    `update rotations set look_at_ms = ended_at_ms
      where state = 'done' and look_at_ms is null
        and progress like '%"isCompromise":true%'
        and progress not like '%"oldFate":"refused"%'`,
  ];
}
