const WORDS = {
    wall_timeout: 'Ran out of time',
    cpu_timeout: 'Ran out of CPU time',
    memory_limit: 'Ran out of memory',
    output_limit: 'Printed too much',
    process_limit: 'Started too many processes',
    disk_limit: 'Filled its disk',
    compile_error: 'Could not be compiled',
    install_error: 'Packages could not be installed',
    cancelled: 'Stopped',
    sandbox_lost: 'Its sandbox was lost',
};
/** How a run ended, in words for a person. */
export function outcomeOf({ outcome, exitCode, signal, durationMs, message }) {
    const took = durationMs === null ? [] : [timeOf(durationMs)];
    const end = exitCode === null ? (signal ?? '') : `exit code ${exitCode}`;
    const said = WORDS[outcome ?? ''] ?? (signal ? `Ended by ${signal}` : `Ended with ${end}`);
    const more = message && outcome !== 'ok' && outcome !== 'nonzero_exit' ? [message] : [];
    return { words: [said, ...took, ...more].join(' · '), isGood: outcome === 'ok' };
}
const timeOf = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);
