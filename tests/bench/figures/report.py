"""Figures as a table (Markdown) and as a picture (SVG)."""
import html
import os
import statistics

BEGIN, END = '<!-- scripts/bench --write: begin -->', '<!-- end -->'
PICTURE = 'performance.svg'
BAR, GAP, LEFT, WIDTH = 16, 26, 110, 460
OURS, OTHERS = '#1b6ca8', '#b8bfc6'


def values_of(figures):
    """{row: {tool: median}}, in the order in which they were measured."""
    rows = {}
    for tool, of_tool in figures.items():
        for row, value in of_tool.items():
            rows.setdefault(row, {})[tool] = statistics.median(value) if isinstance(value, list) else value
    return rows


def text(value):
    if not value:
        return ''
    return f'{value:.3f}' if value < 1 else f'{value:.1f}' if value < 100 else f'{value:.0f}'


def ratio(row, values):
    """What the best of the other backup programs takes, or gives, in relation to tsmfs: over 1 is better."""
    others = [value for tool, value in values.items() if value and not tool.startswith('tsmfs') and tool != 'cp']
    ours = values.get('tsmfs')
    if not others or not ours:
        return ''
    is_rate = row.endswith('/s')
    return f'{ours / max(others):.1f}' if is_rate else f'{min(others) / ours:.1f}'


def table(figures):
    tools = [tool for tool, of_tool in figures.items() if of_tool]
    lines = ['| | ' + ' | '.join(tools) + ' | tsmfs to the best other |', '|---' * (len(tools) + 2) + '|']
    for row, values in values_of(figures).items():
        lines.append(f'| {row} | ' + ' | '.join(text(values.get(tool)) for tool in tools) + f' | {ratio(row, values)} |')
    return '\n'.join(lines)


def picture(figures):
    """For each row a group of bars, each as long as its value in relation to the row's largest."""
    parts, top = [], 10
    for row, values in values_of(figures).items():
        values = {tool: value for tool, value in values.items() if value}
        if len(values) < 2:
            continue
        better = 'more is better' if row.endswith('/s') else 'less is better'
        parts.append(f'<text x="4" y="{top + 12}" font-weight="bold">{html.escape(row)} ({better})</text>')
        top += 18
        for tool, value in values.items():
            length = max(1, WIDTH * value / max(values.values()))
            colour = OURS if tool.startswith('tsmfs') else OTHERS
            parts.append(f'<text x="{LEFT - 6}" y="{top + 12}" text-anchor="end">{html.escape(tool)}</text>'
                         f'<rect x="{LEFT}" y="{top}" width="{length:.0f}" height="{BAR - 2}" fill="{colour}"/>'
                         f'<text x="{LEFT + length + 5:.0f}" y="{top + 12}">{text(value)}</text>')
            top += BAR
        top += GAP - BAR
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 70}" height="{top}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>\n' + '\n'.join(parts) + '\n</svg>\n')


def write(text_of_table, svg, docs):
    """Replaces what stands between the marks of PERFORMANCE.md."""
    page = os.path.join(docs, 'PERFORMANCE.md')
    with open(page, encoding='utf-8') as file:
        before, rest = file.read().split(BEGIN)
    with open(page, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n\n{text_of_table}\n\n{END}{rest.split(END, 1)[1]}')
    with open(os.path.join(docs, PICTURE), 'w', encoding='utf-8') as file:
        file.write(svg)
