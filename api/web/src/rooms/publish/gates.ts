/** The rules a plan must keep, with who offends against them and where. */
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import { nameOf, type Gate, type Offender } from './api.ts';

export interface GateActions {
  show(offender: Offender): void;
  waive(gate: Gate, offender: Offender): void;
  unwaive(gate: Gate, grid: string): void;
}

/** Rules from which single offenders may be excused. */
const WAIVED = ['contiguity', 'requests'];
const SHOWN = 30;

export function gateList(gates: readonly Gate[], context: Context, actions: GateActions): HTMLElement {
  const { i18n } = context;
  const closed = gates.filter((gate) => gate.blocking && !gate.passed).length;
  return h(
    'div',
    {},
    h(
      'p',
      { class: closed ? 'beyond' : null, role: 'status' },
      h('strong', {}, closed ? i18n.t('publish.closed', { n: closed }) : i18n.t('publish.open')),
    ),
    h('ul', { class: 'gates' }, ...gates.map((gate) => gateItem(gate, context, actions))),
  );
}

function gateItem(gate: Gate, context: Context, actions: GateActions): HTMLElement {
  const { i18n } = context;
  const state = gate.passed ? 'kept' : gate.blocking ? 'closed' : 'warning';
  const sign = { kept: '✓', closed: '✕', warning: '!' }[state];
  return h(
    'li',
    { class: state },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    h(
      'div',
      {},
      h('strong', {}, i18n.has(`gate.${gate.name}`) ?? gate.name),
      state === 'warning' && h('span', { class: 'tag' }, i18n.t('publish.warning')),
      h('p', {}, gate.message),
      !gate.passed && gate.cure && h('p', { class: 'muted small' }, gate.cure),
      offenders(gate, context, actions),
      ...gate.waived.map(({ grid, reason, actor }) =>
        h(
          'p',
          { class: 'small' },
          `${grid}: ${i18n.t('publish.waived', { actor, reason })} `,
          h(
            'button',
            { type: 'button', class: 'plain', onclick: () => actions.unwaive(gate, grid) },
            i18n.t('publish.unwaive'),
          ),
        ),
      ),
    ),
  );
}

function offenders(gate: Gate, { i18n }: Context, actions: GateActions): HTMLElement | null {
  if (gate.offenders.length === 0) return null;
  const rows = gate.offenders.slice(0, SHOWN).map((offender) => {
    const name = nameOf(offender);
    const deviation = offender['deviation'];
    const more =
      typeof deviation === 'number'
        ? ` ${String(offender['measure'] ?? '')} ${(deviation * 100).toFixed(1)} %`
        : '';
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          title: i18n.t('publish.zoom'),
          disabled: !offender.bbox,
          onclick: () => actions.show(offender),
        },
        name + more,
      ),
      WAIVED.includes(gate.name) &&
        h(
          'button',
          { type: 'button', class: 'plain', onclick: () => actions.waive(gate, offender) },
          i18n.t('publish.waive'),
        ),
    );
  });
  return h(
    'details',
    {},
    h('summary', {}, i18n.t('publish.offenders', { n: gate.total })),
    h('ul', { class: 'offenders' }, ...rows),
  );
}
